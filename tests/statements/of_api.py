"""Statements on the API as such: what it tells, how long it waits, whom it hears."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_EDGE, _WEBHOOKS = "infra/http/edge.py", "infra/http/webhooks.py"
_HARDENING, _BROWSER = "tests/infra/test_hardening.py::", "tests/infra/test_browser.py::"

API: Final = Chapter(
    "API",
    (
        Statement(
            "Documents, pages and debugging are off where others come",
            (f"{_HARDENING}test_documents_pages_and_debugging_are_off_where_others_come",),
            without(
                "the local pages are served whatever the settings say",
                ("infra/town.py", "pages(outbox, checkout) if local_pages else []", "pages(outbox, checkout)"),
            ),
        ),
        Statement(
            "A method that a path does not have is 405, and says which it has",
            ("tests/access/test_things.py::test_a_method_that_a_path_does_not_have_is_405[city /programmes]",),
            without(
                "the router's own word goes out",
                (
                    "infra/http/problems.py",
                    '        headers["Allow"] = ", ".join(allowed_methods(request.app, request.scope))',
                    '        headers["Allow"] = "GET"',
                ),
            ),
        ),
        Statement(
            "Forged forwarding headers change nothing",
            (
                f"{_HARDENING}test_forged_forwarding_headers_change_nothing",
                "tests/infra/test_problems.py::test_forged_forwarding_headers_change_nothing",
            ),
            without(
                "a request is called what it calls itself",
                (
                    _EDGE,
                    "scope[REQUEST_ID] = request_id = str(uuid4())",
                    'scope[REQUEST_ID] = request_id = Headers(scope=scope).get("x-request-id", str(uuid4()))',
                ),
            ),
        ),
        Statement(
            "Bodies are limited, whatever length they state",
            (
                f"{_HARDENING}test_bodies_are_limited_at_every_address",
                "tests/infra/test_problems.py::test_a_stated_length_is_not_believed",
            ),
            without(
                "what comes is not counted", (_EDGE, "        if received > scope[BODY_LIMIT]:", "        if False:")
            ),
        ),
        Statement(
            "Every answer carries nosniff",
            (
                f"{_HARDENING}test_every_answer_forbids_what_browsers_would_do_by_themselves",
                "tests/infra/test_problems.py::test_every_answer_carries_security_headers",
            ),
            without(
                "nosniff is left out", ("infra/http/security.py", '        "X-Content-Type-Options": "nosniff",\n', "")
            ),
        ),
        Statement(
            "Every answer carries a content security policy (CSP)",
            (
                f"{_HARDENING}test_every_answer_forbids_what_browsers_would_do_by_themselves",
                "tests/infra/test_problems.py::test_every_answer_carries_security_headers",
            ),
            without(
                "it is left out", ("infra/http/security.py", '        "Content-Security-Policy": API_POLICY,\n', "")
            ),
        ),
        Statement(
            "Every answer forbids to come again without HTTPS (HSTS)",
            (
                f"{_HARDENING}test_every_answer_forbids_what_browsers_would_do_by_themselves",
                "tests/infra/test_problems.py::test_every_answer_carries_security_headers",
            ),
            without("HTTPS is not told from HTTP", ("infra/http/security.py", "    if secure:", "    if False:")),
        ),
        Statement(
            "A browser's tokens are `__Host-` cookies that no script reads",
            (f"{_BROWSER}test_a_browsers_tokens_are_out_of_reach_of_scripts",),
            without("scripts may read them", ("infra/http/browser.py", "httponly=True", "httponly=False")),
        ),
        Statement(
            "No other page makes a browser do anything (CSRF)",
            (
                f"{_BROWSER}test_no_other_page_makes_a_browser_do_anything",
                f"{_BROWSER}test_a_resident_pays_from_a_page_of_ours_and_from_no_other",
            ),
            without(
                "a cookie is taken whatever page sent it",
                (
                    "infra/http/browser.py",
                    "    safe = request.method in SAFE_METHODS\n",
                    "    return\n    safe = request.method in SAFE_METHODS\n",
                ),
            ),
        ),
        Statement(
            "An error tells nothing internal",
            (
                f"{_HARDENING}test_an_error_tells_nothing_internal_and_fails_closed",
                "tests/infra/test_problems.py::test_an_unexpected_error_tells_nothing_internal",
            ),
            without(
                "the error's own words go out with it",
                (_EDGE, '{"error_id": scope[REQUEST_ID]}', '{"error_id": scope[REQUEST_ID], "error": repr(error)}'),
            ),
        ),
        Statement(
            "What cannot be checked is not done (fails closed)",
            (f"{_HARDENING}test_what_cannot_be_checked_or_recorded_is_not_done",),
            without(
                "a token whose session cannot be read is let in",
                (
                    "infra/http/auth.py",
                    "            await context.database.transact(self._still_holds, token, single=True)",
                    "            try:\n                await context.database.transact(self._still_holds, token, single=True)\n            except Exception as error:\n                if isinstance(error, Refusal):\n                    raise",
                ),
            ),
        ),
        Statement(
            "A request never runs for ever",
            ("tests/infra/test_problems.py::test_a_request_never_runs_for_ever",),
            without(
                "its time ends after a minute and as another refusal",
                (
                    _EDGE,
                    "            async with asyncio.timeout_at(due):",
                    "            async with asyncio.timeout(5):",
                ),
                (
                    _EDGE,
                    "        return refusal_response(scope, Busy(retry_after_seconds=1))",
                    '        return problem_response(scope, 500, "internal_error", {"error_id": scope[REQUEST_ID]})',
                ),
            ),
        ),
        Statement(
            "How long anything may take is written down as it is",
            ("tests/house/test_time_limits.py::test_every_time_limit_is_written_down_as_it_is",),
            without(
                "others have six times as long to answer us",
                ("infra/ports/outgoing.py", "TIMEOUT_S = 10.0", "TIMEOUT_S = 60.0"),
            ),
        ),
        Statement(
            "An unsigned webhook has no effect",
            (
                f"{_HARDENING}test_unsigned_stale_and_repeated_webhooks_have_no_second_effect",
                "tests/infra/test_webhooks.py::test_anything_else_is_unsigned",
            ),
            without(
                "the signature is not compared",
                (
                    _WEBHOOKS,
                    "    if not any(hmac.compare_digest(expected, _signature(text)) for text in given):",
                    "    if not given:",
                ),
            ),
        ),
        Statement(
            "A stale webhook has no effect",
            (
                f"{_HARDENING}test_unsigned_stale_and_repeated_webhooks_have_no_second_effect",
                "tests/infra/test_webhooks.py::test_more_is_stale",
            ),
            without("its age is not compared", (_WEBHOOKS, "    if abs(age) > TOLERANCE_SECONDS:", "    if False:")),
        ),
        Statement(
            "A repeated webhook has no second effect",
            (
                f"{_HARDENING}test_unsigned_stale_and_repeated_webhooks_have_no_second_effect",
                "tests/wallets/test_checkout_words.py::test_the_channels_word_heard_twice_has_one_effect",
            ),
            without(
                "money is taken whatever came of the purchase before",
                ("services/wallets/buy.py", "        case PurchaseStatus.RESERVED, True:", "        case _, True:"),
            ),
        ),
        Statement(
            "Outgoing requests go to a list of addresses",
            ("tests/house/test_outgoing.py::test_an_address_that_is_not_on_the_list_hears_nothing",),
            without(
                "any address is spoken to",
                ("infra/ports/outgoing.py", "        if origin not in self._allowed:", "        if False:"),
            ),
        ),
    ),
)
