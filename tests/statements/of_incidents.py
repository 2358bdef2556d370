"""Incidents of other services, each as a statement on this one."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_MAY_BUY, _FOUNDATION = "services/residency/may_buy.py", "infra/database/migrations/versions/0001_foundation.py"
_RULES, _INCIDENTS = "tests/analytics/alerts/test_rules.py::", "tests/journeys/test_incidents.py::"

INCIDENTS: Final = Chapter(
    "Incidents elsewhere, as regression tests",
    (
        Statement(
            "7pay (2019, a list of passwords from elsewhere, 808 people): a right password from a list opens no session",
            (f"{_INCIDENTS}test_a_list_of_right_passwords_opens_no_session",),
            without(
                "a password is enough for whoever has no second factor yet",
                (
                    "services/identity/sign_in_staff.py",
                    "if ways or account.kind is AccountKind.CITY or (needs is not None and await needs(tx, account.id)):",
                    "if ways:",
                ),
            ),
        ),
        Statement(
            "ドコモ口座 (2020), めぶくPay: who is nothing but an e-mail address buys nothing",
            ("tests/residency/test_may_buy.py::test_an_email_address_alone_holds_grants_and_buys_nothing",),
            without(
                "only the programme is asked",
                (
                    _MAY_BUY,
                    "asked = residents_only or (await identity.account(tx, account_id)).phone is None",
                    "asked = residents_only",
                ),
            ),
        ),
        Statement(
            "名古屋 (invented names): where residents only buy, a name that no register knows buys nothing",
            ("tests/residency/test_may_buy.py::test_where_residents_only_buy_an_unproven_person_does_not",),
            without(
                "the proof is not looked for",
                (_MAY_BUY, "if asked and await residencies.find(tx, person_id) is None:", "if False:"),
            ),
        ),
        Statement(
            "au PAY (fictitious sales, 171 million points): money that goes round between a payer and a store is told",
            (f"{_RULES}test_money_that_goes_round_three_times_is_a_loop",),
            without(
                "the least that is told is ten times as much",
                ("analytics/alerts/refunds.py", '("refund_loop", 80, 3)', '("refund_loop", 80, 30)'),
            ),
        ),
        Statement(
            "松山 (paying oneself): an owner's own phone pays the owner's store nothing, by any of its ways",
            (f"{_INCIDENTS}test_an_owner_pays_the_own_store_in_none_of_the_ways",),
            without(
                "the person who pays is not looked for among the staff, by code or by sticker",
                (
                    "services/merchants/at_till.py",
                    "    if payer_person_id in store.staff_person_ids:\n        raise OwnStore(store=store.code)\n",
                    "",
                ),
            ),
        ),
        Statement(
            "せたがやPay (a ring of new accounts): it is told, with its members",
            (f"{_RULES}test_a_ring_of_new_accounts_is_named_with_its_members_and_payments",),
            without(
                "accounts count as new on their first day alone",
                ("analytics/alerts/rings.py", "NEW_DAYS: Final = 45", "NEW_DAYS: Final = 0"),
            ),
        ),
        Statement(
            "豊中 (phished cards): one card on three accounts is told",
            (f"{_RULES}test_one_card_on_three_accounts_is_told_and_on_two_it_is_a_couple",),
            without(
                "as many as ten share a card unnoticed",
                (
                    "analytics/alerts/between.py",
                    "        if len(people) >= LEAST_SHARING:",
                    "        if len(people) >= 11:",
                ),
            ),
        ),
        Statement(
            "Codes relayed as screenshots (6.8 million): a picture of a code is worth nothing after a minute, "
            "nor after its owner has paid",
            (f"{_INCIDENTS}test_a_screenshot_of_a_code_is_worth_nothing_after_its_owner_paid_or_after_a_minute",),
            without(
                "its age is not compared, and it is asked for no longer whether it was used",
                (
                    "services/payments/pay_code.py",
                    "    if instant >= claims.expiry_second:\n        raise PayCodeExpired",
                    "    if instant >= claims.expiry_second + 999:\n        raise PayCodeExpired",
                ),
            ),
        ),
        Statement(
            "天栄村, 寝屋川, 所沢 (the transfer file sent twice): no payout is in two files that live",
            (f"{_INCIDENTS}test_what_is_in_a_file_is_in_no_second_one",),
            without(
                "what is in a file already is not left out, and the index lets it in twice",
                (
                    "services/settlement/tables/files.py",
                    "            ~exists().where(PayoutRow.statement_id == StatementRow.id, is_live()),\n",
                    "",
                ),
                (
                    _FOUNDATION,
                    "op.create_index('uq_payout_live', 'payout', ['statement_id'], unique=True, postgresql_where='voided_at IS NULL')",
                    "op.create_index('uq_payout_live', 'payout', ['statement_id'], postgresql_where='voided_at IS NULL')",
                ),
            ),
        ),
        Statement(
            "PayPay (2020, permissions not restored after an update): after every migration each role may do what is "
            "written down, and nothing else",
            ("tests/house/test_rights.py::test_every_cell_is_so",),
            without(
                "one migration grants more than is written down",
                (
                    "infra/database/migrations/versions/0006_audit_and_roles.py",
                    "GRANT SELECT, INSERT, UPDATE (status, decided_by, decided_at) ON proposed_change TO tanabata_app",
                    "GRANT SELECT, INSERT, UPDATE ON proposed_change TO tanabata_app",
                ),
            ),
        ),
    ),
)
