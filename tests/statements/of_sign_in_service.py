"""Statements on the government's sign-in service, held against a real provider's process."""

from typing import Final

from tests.statements.statement import Chapter, Statement, without

_SERVICE, _PROVE = "infra/ports/digital_id.py", "services/residency/prove_by_service.py"
_OF_SERVICE, _OF_PROVING = "tests/oidc/test_digital_id.py::", "tests/oidc/test_prove_by_service.py::"
_NONCE = (_SERVICE, 'if not lives or said["nonce"] != nonce or not', "if not lives or not")

SIGN_IN_SERVICE: Final = Chapter(
    "The government's sign-in service",
    (
        Statement(
            "An id token with another nonce is refused",
            (f"{_OF_SERVICE}test_an_id_token_with_another_nonce_is_refused",),
            without("it is not compared", _NONCE),
        ),
        Statement(
            "An id token for another client is refused",
            (f"{_OF_SERVICE}test_an_id_token_for_another_client_is_refused",),
            without(
                "its audience is not compared",
                (_SERVICE, "                audience=self._settings.client_id,\n", ""),
                (_SERVICE, '"strict_aud": True', '"verify_aud": False'),
            ),
        ),
        Statement(
            "An id token of another time is refused",
            (f"{_OF_SERVICE}test_an_id_token_of_another_time_is_refused",),
            without(
                "its times are not compared",
                (
                    _SERVICE,
                    '        lives = said["iat"] - LEEWAY_S <= at < said["exp"] + LEEWAY_S',
                    "        lives = at > 0",
                ),
            ),
        ),
        Statement(
            "A code that was caught on its way is worth nothing in another attempt (PKCE)",
            (f"{_OF_SERVICE}test_a_code_of_another_attempt_is_refused_for_want_of_its_verifier",),
            without(
                "all attempts have one verifier, and the nonce behind it is not compared",
                (_SERVICE, "create_s256_code_challenge(secrets.verifier)", 'create_s256_code_challenge("v" * 43)'),
                (_SERVICE, '"code_verifier": secrets.verifier,', '"code_verifier": "v" * 43,'),
                _NONCE,
            ),
        ),
        Statement(
            "Who comes back with another state has not come back from our attempt",
            (f"{_OF_PROVING}test_a_wrong_state_is_refused_and_the_attempt_stays",),
            without(
                "it is not compared",
                (
                    _PROVE,
                    "    if not hmac.compare_digest(secrets.state.encode(), back.state.encode()):",
                    "    if False:",
                ),
            ),
        ),
        Statement(
            "Who lives in another city proves nothing here",
            (f"{_OF_PROVING}test_who_lives_in_another_city_proves_nothing_here",),
            without(
                "the address is not compared with the city's",
                (_PROVE, "    if not service.is_ours(identity.address):", "    if False:"),
            ),
        ),
    ),
)
