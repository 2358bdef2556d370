"""Statements on what people and machines send that is not quite what was asked for."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_STRICT, _LISTS, _PAY_CODE = "infra/http/strict.py", "services/residency/lists.py", "services/payments/pay_code.py"
_OF_STRICT, _OF_REQUESTS = "tests/infra/test_strict.py::", "tests/house/test_requests.py::"
_BY_FACTOR, _OF_LISTS = "tests/identity/test_prove_factor.py::", "tests/residency/test_lists.py::"

BAD_INPUT: Final = Chapter(
    "Bad input",
    (
        Statement(
            "A yes in a body is `true` or `false`, and nothing that stands for it",
            (f"{_OF_STRICT}test_nothing_else_in_a_body_is_a_yes_or_a_no",),
            without(
                'pydantic\'s own leniency: 1, 0.0, "yes" and "off" are answers',
                (_STRICT, "TrueOrFalse = Annotated[bool, Field(strict=True)]", "TrueOrFalse = bool"),
            ),
        ),
        Statement(
            "And so it is in an address",
            (f"{_OF_STRICT}test_nothing_else_in_an_address_is_a_yes_or_a_no",),
            without(
                "pydantic's own leniency: 1, on, y and T are answers",
                (_STRICT, "Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag_text)]", "Flag = bool"),
            ),
        ),
        Statement(
            "A number in an address is its digits",
            (f"{_OF_STRICT}test_a_number_in_an_address_is_its_digits",),
            without(
                "pydantic's own leniency: +5, 5.0, 1_0 and 005 are numbers",
                (
                    _STRICT,
                    "    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:",
                    "    if not isinstance(value, str):",
                ),
            ),
        ),
        Statement(
            "No request has a yes or a number that is read otherwise",
            (f"{_OF_REQUESTS}test_every_yes_and_every_number_of_a_request_is_read_strictly",),
            without(
                "how long a page is, is read as pydantic likes",
                ("infra/http/paging.py", "Query(ge=1, le=MOST), WholeText]", "Query(ge=1, le=MOST)]"),
            ),
        ),
        Statement(
            "A one-time code and an authenticator's are themselves in full-width digits, with spaces and a hyphen",
            (
                "tests/identity/test_codes.py::test_a_code_is_read_as_people_type_it",
                f"{_BY_FACTOR}test_full_width_digits_and_spaces_are_forgiven",
            ),
            without(
                "a code is read as it was typed",
                (
                    "services/identity/codes.py",
                    '    folded = unicodedata.normalize("NFKC", text[:MAX_TYPED_LENGTH])\n',
                    "    folded = text[:MAX_TYPED_LENGTH]\n",
                ),
            ),
        ),
        Statement(
            "A password is itself on every keyboard, wide or with marks that combine",
            ("tests/identity/test_passwords.py::test_a_password_is_itself_on_every_keyboard",),
            without(
                "a password is its bytes as they came",
                (
                    "services/identity/passwords.py",
                    'return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")',
                    'return password.encode("utf-8", "surrogatepass")',
                ),
            ),
        ),
        Statement(
            "An authenticator whose clock is half a minute off signs in",
            ("tests/identity/test_totp.py::test_a_clock_may_be_one_step_off",),
            without(
                "the code of this very half minute is the only one",
                ("services/identity/totp.py", "FORGIVEN_STEPS = 1", "FORGIVEN_STEPS = 0"),
            ),
        ),
        Statement(
            "One whose clock is a minute off does not",
            (f"{_BY_FACTOR}test_a_clock_that_is_a_minute_off_is_refused",),
            without(
                "two minutes before and after are forgiven",
                ("services/identity/totp.py", "FORGIVEN_STEPS = 1\n", "FORGIVEN_STEPS = 4\n"),
            ),
        ),
        Statement(
            "A phone whose clock runs fast makes codes that are refused, and is told by how much",
            (
                "tests/payments/test_pay_code.py::test_a_phone_two_minutes_fast_is_told_so",
                "tests/payments/test_pay_code.py::test_thirty_seconds_fast_is_allowed_and_not_a_moment_more",
                "tests/merchant_api/test_payments.py::test_a_phone_two_minutes_off_is_told",
            ),
            without(
                "a code from the future is like any other",
                (_PAY_CODE, "    if claims.issued_second - instant > EARLY_SECONDS:", "    if False:"),
            ),
        ),
        Statement(
            "A register with a doubled line is refused, and both lines are named",
            (
                f"{_OF_LISTS}test_a_line_twice_is_named_with_the_first_and_look_alikes_are_two_people",
                "tests/city_api/test_register_lists.py::test_every_doubled_and_broken_row_is_named_nothing_is_taken_over_and_no_name_comes_back",
            ),
            without(
                "a reference may stand in any number of lines",
                (_LISTS, "        if read.reference in references:", "        if False:"),
            ),
        ),
        Statement(
            "A register with a broken row is refused as a whole, and every one is named with its place",
            (
                f"{_OF_LISTS}test_every_broken_row_is_named_with_its_place",
                "tests/residency/test_hand_over.py::test_a_list_with_a_problem_leaves_nothing_behind",
                "tests/city_api/test_register_lists.py::test_every_doubled_and_broken_row_is_named_nothing_is_taken_over_and_no_name_comes_back",
            ),
            without(
                "what can be read of a list is taken over",
                (
                    _LISTS,
                    "        if isinstance(read, Problem):\n            problems.append(read)\n            continue\n        person",
                    "        if isinstance(read, Problem):\n            continue\n        person",
                ),
            ),
        ),
    ),
)
