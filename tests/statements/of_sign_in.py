"""Statements on signing in, and on what ends a sign-in."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_ATTEMPTS, _CODES = "services/identity/tables/attempts.py", "services/identity/codes.py"
_STAFF, _PASSWORDS = "services/identity/sign_in_staff.py", "services/identity/passwords.py"
_BY_CODE, _BY_PASSWORD = "tests/identity/test_sign_in.py::", "tests/identity/test_sign_in_staff.py::"
_SESSIONS = "tests/infra/test_sessions.py::"
_OWED = "tests/wallet_api/test_owed_secret.py::"

SIGN_IN: Final = Chapter(
    "Sign-in",
    (
        Statement(
            "Guessing a one-time code is throttled: of a hundred guesses at once five are compared",
            (
                f"{_BY_CODE}test_after_five_wrong_ones_the_right_one_comes_too_late",
                f"{_BY_CODE}test_of_a_hundred_guesses_at_once_five_are_compared",
                "tests/wallet_api/test_sign_in.py::test_five_wrong_guesses_spoil_the_code",
            ),
            without(
                "a code has any number of tries",
                (
                    _ATTEMPTS,
                    "SignInCodeRow.tries_left > 0,\n        )\n        .values",
                    "SignInCodeRow.tries_left > -999,\n        )\n        .values",
                ),
                (
                    _ATTEMPTS,
                    ".values(tries_left=SignInCodeRow.tries_left - 1)",
                    ".values(tries_left=SignInCodeRow.tries_left)",
                ),
            ),
        ),
        Statement(
            "Guessing a password is throttled: of a hundred guesses at once ten are compared",
            (
                f"{_BY_PASSWORD}test_ten_wrong_passwords_and_the_address_rests",
                f"{_BY_PASSWORD}test_of_a_hundred_guesses_at_once_ten_are_compared",
            ),
            without(
                "tries at an address are counted and not compared with anything",
                (
                    _STAFF,
                    "if not await attempts.take_password_try(tx, name, passwords.WINDOW, passwords.TRIES):",
                    "if not await attempts.take_password_try(tx, name, passwords.WINDOW, 999):",
                ),
            ),
        ),
        Statement(
            "Guessing a second factor is throttled: of a hundred guesses at once five are compared",
            (
                "tests/identity/test_factor_races.py::test_of_a_hundred_guesses_at_once_five_are_compared",
                "tests/identity/test_prove_factor.py::test_five_wrong_codes_an_hour_whatever_the_attempt",
            ),
            without(
                "tries of a second factor are counted and not compared with anything",
                (
                    "services/identity/prove_factor.py",
                    "if not await attempts.take_password_try(tx, name, second_factor.WINDOW, second_factor.TRIES):",
                    "if not await attempts.take_password_try(tx, name, second_factor.WINDOW, 999):",
                ),
            ),
        ),
        Statement(
            "Throttling locks no victim out: a client that was here before is counted by itself",
            ("tests/infra/test_known_clients.py::test_a_stranger_who_guesses_keeps_no_known_client_out",),
            without(
                "everybody at an address is counted together",
                (_STAFF, "name = passwords.tries_of(given.email, earlier.session_id)", "name = given.email"),
            ),
        ),
        Statement(
            "Who asks for codes in a stranger's name spoils none of the stranger's",
            (f"{_BY_CODE}test_a_new_code_leaves_the_earlier_one_alone",),
            without(
                "the code of an attempt is compared with the newest of its phone",
                (
                    _ATTEMPTS,
                    'SignInCodeRow.id == bindparam("attempt_id", type_=Uuid()),\n            SignInCodeRow.used_at.is_(None),\n            SignInCodeRow.expires_at > bindparam("at", type_=Instant),',
                    'SignInCodeRow.id == bindparam("attempt_id", type_=Uuid()),\n            SignInCodeRow.used_at.is_(None),\n            SignInCodeRow.sent_at == select(func.max(SignInCodeRow.sent_at)).scalar_subquery(),\n            SignInCodeRow.expires_at > bindparam("at", type_=Instant),',
                ),
            ),
        ),
        Statement(
            "One password tried on a hundred accounts is stopped after twenty",
            (
                "tests/identity/test_password_spread.py::test_of_one_password_over_a_hundred_accounts_twenty_are_compared",
            ),
            without(
                "tries of one password are not counted over all addresses",
                (
                    _STAFF,
                    "if not await attempts.take_spread_try(tx, bucket, passwords.SPREAD_WINDOW, passwords.SPREAD_TRIES):",
                    "if False:",
                ),
            ),
        ),
        Statement(
            "Whoever is refused does not learn whether the address exists, by words",
            (f"{_BY_PASSWORD}test_every_no_is_the_same_no",),
            without(
                "an unknown address has an answer of its own",
                (
                    _STAFF,
                    "    if credentials is None or not fits:\n        raise SignInRefused",
                    "    if credentials is None:\n        raise SignInThrottled(retry_after_seconds=1)\n    if not fits:\n        raise SignInRefused",
                ),
            ),
        ),
        Statement(
            "Nor by time: an unknown address is hashed for like a known one",
            (f"{_BY_PASSWORD}test_an_unknown_address_is_hashed_for_like_a_known_one",),
            without(
                "nothing is hashed where there is nothing to compare with",
                (_STAFF, "fits = await compare_password(", "fits = stored is not None and await compare_password("),
            ),
        ),
        Statement(
            "However a phone's number is written, it leads to one account and one wallet",
            (
                "tests/wallet_api/test_sign_in.py::test_eighty_ways_to_write_one_number_lead_to_one_account_and_one_wallet",
            ),
            without(
                "a number is kept as it was typed",
                (
                    "services/identity/people.py",
                    "    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))",
                    "    return typed",
                ),
            ),
        ),
        Statement(
            "A one-time code works once",
            (f"{_BY_CODE}test_a_code_works_once", "tests/wallet_api/test_sign_in.py::test_a_code_works_once"),
            without(
                "a used code is like one that was not",
                (
                    _ATTEMPTS,
                    'SignInCodeRow.used_at.is_(None),\n            SignInCodeRow.expires_at > bindparam("at", type_=Instant),',
                    'SignInCodeRow.expires_at > bindparam("at", type_=Instant),',
                ),
                (
                    _ATTEMPTS,
                    "SignInCodeRow.used_at.is_(None),\n            SignInCodeRow.expires_at > at,",
                    "SignInCodeRow.expires_at > at,",
                ),
            ),
        ),
        Statement(
            "A one-time code lives ten minutes at most",
            (f"{_BY_CODE}test_a_code_lives_five_minutes",),
            without(
                "a code lives eleven minutes",
                (_CODES, "LIFETIME = timedelta(minutes=5)", "LIFETIME = timedelta(minutes=11)"),
            ),
        ),
        Statement(
            "A one-time code is bound to its attempt",
            ("tests/identity/test_codes.py::test_a_code_belongs_to_its_attempt_and_to_the_key",),
            without(
                "the attempt is not in what is kept", (_CODES, "attempt_id.bytes + code.encode()", "code.encode()")
            ),
        ),
        Statement(
            "The city's staff need a second factor",
            ("tests/identity/test_prove_factor.py::test_a_right_password_alone_opens_no_session",),
            without(
                "it depends on whether they have one",
                (_STAFF, "if ways or account.kind is AccountKind.CITY or (", "if ways or ("),
            ),
        ),
        Statement(
            "So do a store's owners",
            ("tests/identity/test_prove_factor.py::test_a_clerk_needs_none_until_they_own_a_store_or_have_one",),
            without(
                "stores are not asked whether their owner signs in",
                (_STAFF, "(needs is not None and await needs(tx, account.id))", "False"),
            ),
        ),
        Statement(
            "The 3,000 commonest passwords are refused",
            ("tests/identity/test_common_passwords.py::test_the_three_thousand_commonest_are_refused",),
            without(
                "no list is looked at, and length is not asked for",
                (_PASSWORDS, " or folded in _COMMON or _is_simple(folded)", ""),
                (_PASSWORDS, "if len(known) < MIN_LENGTH:", "if False:"),
            ),
        ),
        Statement(
            "Signing out is heard at the next request, on every route",
            (
                f"{_SESSIONS}test_a_sign_in_is_refreshed_and_signed_out",
                f"{_SESSIONS}test_a_signed_out_token_is_refused_on_every_route",
            ),
            without(
                "an ended session is like an open one",
                (
                    "services/identity/tables/sessions.py",
                    "        SessionRow.ended_at.is_(None),\n        SessionRow.expires_at > at,\n    )\n    return found",
                    "        SessionRow.expires_at > at,\n    )\n    return found",
                ),
            ),
        ),
        Statement(
            "A disabled account is nobody at the next request, whatever its token says",
            ("tests/infra/test_auth.py::test_a_disabled_account_is_nobody_at_the_next_request",),
            without(
                "neither does disabling end the sessions, nor do requests ask for the account's state",
                (
                    "services/identity/staff.py",
                    "        await end_sessions_of(tx, command.actor_id, command.account_id, EndedAs.ACCOUNT_DISABLED)",
                    "        pass",
                ),
                (
                    "services/identity/may.py",
                    "    if account.status is not AccountStatus.ACTIVE or not set(roles) & set(account.roles):",
                    "    if not set(roles) & set(account.roles):",
                ),
            ),
        ),
        Statement(
            "A refresh token that comes again ends the session for everybody who has it",
            (
                "tests/identity/test_refresh_session.py::test_an_old_token_ends_the_whole_session",
                f"{_SESSIONS}test_a_used_refresh_token_ends_the_session_for_everybody",
            ),
            without(
                "it is refused, and the session goes on",
                (
                    "services/identity/refresh_session.py",
                    "            await rows.end_session(tx, kept.account_id, kept.id, EndedAs.REFRESH_REUSED)\n",
                    "",
                ),
            ),
        ),
        Statement(
            "A changed password ends every other session",
            (
                "tests/identity/test_end_session.py::test_a_new_password_ends_every_other_session",
                f"{_SESSIONS}test_a_changed_password_leaves_this_session_only",
            ),
            without(
                "sessions that the old password opened go on",
                (
                    "services/identity/change_password.py",
                    "    await end_sessions_of(tx, account_id, account_id, EndedAs.PASSWORD_CHANGED, but=command.session_id)\n",
                    "",
                ),
            ),
        ),
        Statement(
            "A role that was taken away is gone at the next request",
            ("tests/city_api/test_roles.py::test_a_role_that_was_taken_closes_its_routes_at_the_next_request",),
            without(
                "a role that was taken is like one that is held",
                (
                    "services/identity/tables/accounts.py",
                    ".where(RoleRow.account_id == AccountRow.id, RoleRow.taken_at.is_(None))",
                    ".where(RoleRow.account_id == AccountRow.id)",
                ),
            ),
        ),
        Statement(
            "A copied passkey is found by its counter: it is revoked and all sessions end",
            ("tests/infra/test_passkeys.py::test_a_cloned_counter_refuses_revokes_ends_the_sessions_and_is_told",),
            without(
                "a counter that goes back is counted like any other",
                ("services/identity/use_passkey.py", "if is_cloned(kept.sign_count, given.shown):", "if False:"),
            ),
        ),
        Statement(
            "Whose phone is new is told, and so is who has a new passkey",
            (
                "tests/wallet_api/test_new_phone.py::test_the_owner_is_told_of_a_new_phone",
                "tests/infra/test_passkeys.py::test_the_owner_is_told_of_a_passkey_that_comes_or_goes_once",
            ),
            without(
                "the message is put together and not sent",
                ("infra/http/notices.py", "        await here.sms.send(account.phone, said)", "        return"),
            ),
        ),
        Statement(
            "A one-time code alone adds no phone, no passkey and no printed code for who has a secret",
            (f"{_OWED}test_a_one_time_code_alone_adds_nothing_and_with_the_letters_code_it_is_as_usual",),
            without(
                "it is not asked what a sign-in owes",
                (
                    "services/identity/owed_secret.py",
                    "    if await is_owed(tx, account_id, session_id):\n        raise SecretOwed",
                    "    return",
                ),
            ),
        ),
        Statement(
            "A letter's code is such a secret once",
            (f"{_OWED}test_a_letters_code_works_once_and_the_printed_one_does_as_well",),
            without(
                "its use is written down and not asked for",
                (
                    "services/residency/tables/letter_uses.py",
                    ".where(ResidencyRow.person_id == person_id, LetterUseRow.reference.is_(None))",
                    ".where(ResidencyRow.person_id == person_id)",
                ),
                (
                    "services/residency/tables/letter_uses.py",
                    "    return (await tx.connection.execute(statement)).first() is not None",
                    "    await tx.connection.execute(statement)\n    return True",
                ),
            ),
        ),
        Statement(
            "Guessing at it uses up the tries of one's own sign-in: five are compared",
            (f"{_OWED}test_wrong_codes_cost_their_own_sign_in_and_nobody_elses",),
            without(
                "tries are counted and not compared with anything",
                (
                    "services/identity/tables/sessions.py",
                    "SessionRow.secret_tries < most)",
                    "SessionRow.secret_tries < 999)",
                ),
            ),
        ),
        Statement(
            "A sign-in that owes vouches for no other",
            (f"{_OWED}test_a_sign_in_that_owes_vouches_for_none_that_owes_nothing",),
            without(
                "its token makes the next one known",
                ("wallet_api/sign_in.py", "owes = (not known or owed_before) and", "owes = not known and"),
            ),
        ),
        Statement(
            "A new phone pays small sums for a day",
            ("tests/wallet_api/test_new_phone.py::test_a_new_phone_pays_small_sums_for_a_day_and_then_any",),
            without(
                "the limit is not compared",
                (
                    "services/wallets/wallet.py",
                    "if payer.limit_yen is not None and amount_yen > payer.limit_yen:",
                    "if False:",
                ),
            ),
        ),
    ),
)
