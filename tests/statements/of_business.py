"""Statements on business: amounts, order of steps, limits, four eyes, codes, suspension."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_AT_TILL, _PAY, _PAY_CODE = "services/merchants/at_till.py", "services/payments/pay.py", "services/payments/pay_code.py"
_FOUR_EYES, _CHANGES = "services/kit/four_eyes.py", "city_api/changes.py"
_INTERESTS = "city_api/interests.py"
_FOUNDATION = "infra/database/migrations/versions/0001_foundation.py"
_HTTP, _TILL = "tests/wallet_api/test_payments.py::", "tests/merchant_api/test_payments.py::"
_OF_PAYEES = "tests/city_api/test_payout_accounts.py::"
_OF_CHANGES, _OF_EYES = "tests/city_api/test_changes.py::", "tests/city_api/test_four_eyes.py::"

BUSINESS: Final = Chapter(
    "Business",
    (
        Statement(
            "A bad amount is 422 and never 500",
            ("tests/infra/test_strict.py::test_no_other_amount_is_taken",),
            without(
                'pydantic\'s own leniency: `"10"`, `1e3` and `true` are numbers',
                (
                    "infra/http/strict.py",
                    '    Field(strict=True, ge=1, le=MAX_AMOUNT_YEN, description="Whole yen, 1 to 9,999,999,999.", examples=[500]),',
                    '    Field(ge=1, le=MAX_AMOUNT_YEN, description="Whole yen, 1 to 9,999,999,999.", examples=[500]),',
                ),
            ),
        ),
        Statement(
            "Nobody pays a store that they own or work for",
            (
                "tests/payments/test_pay.py::test_nobody_pays_a_store_that_they_work_for",
                "tests/merchant_api/test_members.py::test_a_wallet_that_is_named_pays_its_own_store_no_more",
            ),
            without(
                "the payer is not looked for among the staff",
                (_AT_TILL, "    if payer_person_id in store.staff_person_ids:", "    if False:"),
            ),
        ),
        Statement(
            "Steps are taken in their order: what nobody approved is not downloaded",
            ("tests/settlement/test_paying_out.py::test_a_file_is_downloaded_after_its_approval_and_always_the_same",),
            without(
                "the state of the file is not asked",
                ("services/settlement/pay_out.py", "    if file.status not in APPROVED_ONCE:", "    if False:"),
            ),
        ),
        Statement(
            "The day's limit is exact, whatever comes at once",
            (
                "tests/payments/test_pay.py::test_the_limit_of_a_day_is_exact_over_all_ways_and_ends_at_midnight_in_japan",
                "tests/races/test_one_balance.py::test_the_days_limit_is_exact_when_everything_comes_at_once",
            ),
            without(
                "what was spent today is not counted",
                ("services/wallets/spend.py", "max(0, lot.day_limit_yen - spent_today[key])", "lot.day_limit_yen"),
                (
                    _FOUNDATION,
                    "sa.CheckConstraint('spent_yen BETWEEN 0 AND limit_yen', name=op.f('ck_spent_today_limit'))",
                    "sa.CheckConstraint('spent_yen >= 0', name=op.f('ck_spent_today_limit'))",
                ),
            ),
        ),
        Statement(
            "A person's cap is exact, whatever is bought at once",
            ("tests/races/test_cap_and_stock.py::test_forty_purchases_at_once_sell_exactly_the_cap",),
            without(
                "what was bought is counted and not compared",
                (
                    "services/wallets/tables/purchases.py",
                    "        where=BoughtRow.bought_yen + before + yen <= cap_yen,\n",
                    "",
                ),
                (
                    _FOUNDATION,
                    "sa.CheckConstraint('bought_yen BETWEEN 0 AND cap_yen'",
                    "sa.CheckConstraint('bought_yen >= 0'",
                ),
            ),
        ),
        Statement(
            "A payout account is proposed and approved from a sign-in of the last quarter of an hour",
            (
                f"{_OF_PAYEES}test_an_account_is_proposed_from_a_sign_in_of_the_last_quarter_of_an_hour",
                f"{_OF_PAYEES}test_and_approved_from_one",
            ),
            without(
                "a session's age is not compared",
                (
                    "services/identity/fresh_sign_in.py",
                    "    if opened_at is None or tx.now - opened_at > FRESH:",
                    "    if opened_at is None:",
                ),
            ),
        ),
        Statement(
            "The store's owners are told of it, when it is proposed and when it counts, and nobody else is",
            (f"{_OF_PAYEES}test_the_owners_are_told_of_the_proposal_and_of_the_change_once_each",),
            without(
                "whoever works there is told",
                (
                    "services/merchants/tables/stores.py",
                    "    owning = (MemberRow.role == MemberRole.OWNER.value, MemberRow.status == MemberStatus.ACTIVE.value)",
                    "    owning = (MemberRow.status == MemberStatus.ACTIVE.value,)",
                ),
            ),
        ),
        Statement(
            "A grant, a payout account and a register take effect by a second person's yes, and not by the proposer's",
            (
                f"{_OF_CHANGES}test_nobody_approves_their_own",
                f"{_OF_CHANGES}test_two_accounts_of_one_person_are_one_person",
            ),
            without(
                "neither the edge nor the deed asks whether it is another person",
                (_CHANGES, "    await require_second_officer(tx, proposal.proposed_by, asked.officer_id)\n", ""),
                (_FOUR_EYES, "    if proposed_by == approved_by:\n        raise SecondOfficerNeeded", "    return"),
            ),
        ),
        Statement(
            "So does a bank file, and its withdrawal",
            (f"{_OF_EYES}test_a_bank_file_needs_a_second_person_too",),
            without(
                "an account of the proposer's own making may approve",
                (
                    "city_api/bank_files.py",
                    "    await require_second_officer(tx, (await read.bank_file(tx, asked.file_id)).proposed_by, asked.officer_id)\n",
                    "",
                ),
            ),
        ),
        Statement(
            "So do a programme's rules",
            (
                f"{_OF_EYES}test_an_approver_cannot_approve_what_an_account_of_theirs_proposed",
                f"{_OF_EYES}test_nor_one_account_behind_two_others",
                f"{_OF_EYES}test_nor_the_other_way_around_or_at_more_removes",
            ),
            without(
                "an account of the proposer's own making may approve",
                (
                    "city_api/programmes.py",
                    "    await require_second_officer(tx, proposal.proposed_by, asked.officer_id)\n",
                    "",
                ),
            ),
        ),
        Statement(
            "Two accounts of one person are one person",
            (
                "tests/city_api/test_staff_persons.py::test_accounts_of_one_number_are_one_person_in_every_second_yes",
                "tests/city_api/test_staff_persons.py::test_who_was_opened_by_a_persons_other_account_is_that_persons_too",
            ),
            without(
                "openers alone are followed, and no staff number",
                (
                    "services/identity/tables/staff_persons.py",
                    "theirs.staff_number == mine.staff_number)",
                    "theirs.account_id == mine.account_id)",
                ),
            ),
        ),
        Statement(
            "Nobody says of their own account whose it is",
            ("tests/city_api/test_staff_persons.py::test_nobody_approves_who_they_are_themselves",),
            without(
                "whoever did not propose it may approve",
                (
                    _CHANGES,
                    "        await require_second_officer(tx, proposal.subject_id, asked.officer_id)\n",
                    "        pass\n",
                ),
            ),
        ),
        Statement(
            "Nobody of the staff decides on what goes to themselves, to their household or to a store where these work",
            (
                "tests/city_api/test_staff_persons.py::test_nobody_grants_to_themselves_or_their_household",
                "tests/city_api/test_staff_persons.py::test_nobody_approves_a_grant_to_their_household_that_another_proposed",
                "tests/city_api/test_staff_persons.py::test_nobody_moves_the_account_of_a_store_where_their_household_works",
            ),
            without(
                "the persons who would gain are not compared",
                ("infra/http/four_eyes.py", "    if not near.isdisjoint(gaining):", "    if False:"),
            ),
        ),
        Statement(
            "Nor proposes care at the counter to which they or their household are a side",
            ("tests/city_api/test_staff_persons.py::test_nobody_proposes_care_to_which_their_household_is_a_side",),
            without(
                "whose care it would be is not asked",
                (
                    _INTERESTS,
                    "{asked.carer_number, asked.cared_for_number})\n    await require_no_interest(tx, asked.officer_id, gaining)\n",
                    "{asked.carer_number, asked.cared_for_number})\n",
                ),
            ),
        ),
        Statement(
            "Nor approves it when another proposed it",
            ("tests/city_api/test_staff_persons.py::test_nobody_approves_care_to_which_their_household_is_a_side",),
            without(
                "whose care it would be is not asked",
                (_INTERESTS, "    if change.kind is ChangeKind.CARE:", "    if False:"),
            ),
        ),
        Statement(
            "Whom they care for, and who cares for them, is of their household",
            ("tests/city_api/test_staff_persons.py::test_whoever_is_in_care_with_the_household_is_of_it",),
            without(
                "those for whom an account acts are all that counts",
                ("infra/http/four_eyes.py", "    near |= await persons_in_care_with(tx, near)\n", ""),
            ),
        ),
        Statement(
            "Changed content voids an approval, of a change",
            (
                f"{_OF_CHANGES}test_other_content_has_no_approval",
                f"{_OF_CHANGES}test_what_was_altered_behind_our_back_is_not_approved",
            ),
            without(
                "what the approver was shown is not compared with what there is",
                (_FOUR_EYES, "    if not now == change.fingerprint == shown.strip().lower():", "    if not now:"),
            ),
        ),
        Statement(
            "And of a programme's terms",
            ("tests/campaigns/test_publish.py::test_an_approval_is_for_exactly_what_was_shown",),
            without(
                "the version alone is compared",
                (
                    "services/campaigns/publish.py",
                    "    if (proposal.version, proposal.fingerprint) != (command.version, command.fingerprint.lower()):",
                    "    if proposal.version != command.version:",
                ),
            ),
        ),
        Statement(
            "A pay code works once",
            (
                "tests/payments/test_pay_by_code.py::test_a_pay_code_works_once_at_any_store_and_a_refused_payment_does_not_use_it_up",
                "tests/races/test_one_code.py::test_one_pay_code_at_many_stores_at_once_pays_one_of_them",
                f"{_TILL}test_a_code_lives_a_minute_and_works_once",
            ),
            without(
                "each use of a code has a name of its own",
                (
                    _PAY_CODE,
                    "@lru_cache(maxsize=MOST_REMEMBERED)\ndef peek_use(token: str) -> UUID:",
                    "def peek_use(token: str) -> UUID:",
                ),
                (
                    _PAY_CODE,
                    "return uuid5(peek_device(token), str(_claims(token).jti))",
                    'return uuid5(peek_device(token), __import__("secrets").token_hex())',
                ),
            ),
        ),
        Statement(
            "A pay code lives sixty seconds at most",
            (
                "tests/payments/test_pay_by_code.py::test_a_pay_code_lives_sixty_seconds",
                f"{_TILL}test_a_code_lives_a_minute_and_works_once",
            ),
            without("its age is not compared", (_PAY_CODE, "    if instant >= claims.expiry_second:", "    if False:")),
        ),
        Statement(
            "Above a sum that the city sets a pay code needs a tap on the phone that shows store and sum",
            (
                "tests/merchant_api/test_tap.py::test_above_the_sum_a_scanned_code_alone_pays_nothing",
                "tests/merchant_api/test_tap.py::test_the_operators_sum_counts",
            ),
            without(
                "the sum is not compared",
                (
                    "services/payments/agree.py",
                    "above_yen is None or agreed.amount_yen <= above_yen:",
                    "above_yen is None or agreed.amount_yen > 0:",
                ),
            ),
        ),
        Statement(
            "And nobody's phone but the one whose code was scanned",
            ("tests/merchant_api/test_tap.py::test_nobody_elses_phone_sees_or_pays_it",),
            without(
                "whoever knows the number pays it",
                ("services/payments/agree.py", "if code.wallet_id not in (None, payer.wallet.id):", "if False:"),
            ),
        ),
        Statement(
            "A pay code that its phone did not sign pays nothing",
            (
                f"{_TILL}test_a_forged_unknown_or_foreign_code_is_refused",
                "tests/payments/test_pay_code_attacks.py::test_another_phones_signature_is_forged",
            ),
            without(
                "the signature is not compared",
                (_PAY_CODE, "    if not is_signed(token, public_jwk):", "    if False:"),
            ),
        ),
        Statement(
            "A suspended wallet is refused at the commit",
            (
                f"{_HTTP}test_a_suspended_store_or_wallet_is_refused",
                "tests/races/test_suspension.py::test_a_payment_that_waits_behind_the_suspension_is_refused",
            ),
            without(
                "its state is not asked",
                ("services/wallets/wallet.py", '    if wallet.status != "active":', "    if False:"),
            ),
        ),
        Statement(
            "A suspended store is refused at the commit",
            (
                f"{_HTTP}test_a_suspended_store_or_wallet_is_refused",
                "tests/races/test_suspension.py::test_a_payment_that_waits_while_the_store_is_suspended_looks_at_the_store_afterwards",
            ),
            without(
                "its state is not asked",
                (_AT_TILL, "    if not store.accepting:\n        raise StoreSuspended(store=store.code)\n", ""),
            ),
        ),
        Statement(
            "A blocked phone's codes pay nothing, also those that wait behind the block",
            (
                "tests/races/test_blocked_phone.py::test_a_code_that_waited_behind_the_block_is_refused",
                f"{_TILL}test_suspension_and_blocking_hold_at_once",
            ),
            without(
                "its state is not asked",
                ("services/wallets/spend.py", '    if device.status != "active":', "    if False:"),
            ),
        ),
        Statement(
            "No more goes back than was paid",
            (
                "tests/payments/test_refund.py::test_a_refund_never_exceeds_what_was_paid",
                "tests/races/test_one_balance.py::test_two_refunds_of_everything_at_once_give_it_back_once",
            ),
            without(
                "what is left is not compared",
                ("services/payments/refund.py", "    if command.amount_yen > held.left_yen:", "    if False:"),
            ),
        ),
        Statement(
            "Large payments have a velocity, exact whatever comes at once",
            (
                "tests/payments/test_velocity.py::test_of_six_large_payments_at_once_exactly_three_are_made",
                "tests/payments/test_velocity.py::test_the_hour_and_the_day_pass_by_and_nothing_else_gives_room",
            ),
            without(
                "what a wallet has paid lately is counted and not compared",
                ("services/payments/velocity.py", "    if not is_counted(amount_yen):", "    if amount_yen > 0:"),
                (
                    "infra/database/migrations/versions/0020_paid_lately.py",
                    "CHECK (payments BETWEEN 1 AND most_payments AND paid_yen BETWEEN 1 AND most_yen)",
                    "CHECK (payments > 0 AND paid_yen > 0)",
                ),
            ),
        ),
    ),
)
