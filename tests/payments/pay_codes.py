"""One phone, one wallet, one code: what the tests of pay codes start from.

joserfc is the second opinion: what it refuses as wrongly signed, and, where the signature is
right, that it is right, so that a refusal of ours can only come from the rule under test.
"""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from joserfc import jwt as joserfc_jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from infra.phone import SandboxPhone
from services.payments.pay_code import PayCodeMalformed, verify

NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
ISSUED = int(NOW.timestamp())
WALLET = UUID("019f3a00-0000-7000-8000-00000000000a")
DEVICE = UUID("019f3a00-0000-7000-8000-00000000000b")
JTI = UUID("019f3a00-0000-7000-8000-00000000000c")
PHONE = SandboxPhone(bytes(range(32)))
THIEF = SandboxPhone(bytes(range(1, 33)))
KEY = PHONE.public_jwk()
JOSERFC_KEY = ECKey.import_key(dict(KEY))
CODE = PHONE.pay_code(WALLET, DEVICE, NOW, JTI)
HEADER: dict[str, object] = {"alg": "ES256", "typ": "tanabata-pay+jwt", "kid": str(DEVICE)}
CLAIMS: dict[str, object] = {
    "aud": "tanabata-pay",
    "sub": str(WALLET),
    "jti": str(JTI),
    "iat": ISSUED,
    "exp": ISSUED + 60,
}
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def signed(
    header: dict[str, object] | None = None,
    claims: dict[str, object] | None = None,
    phone: SandboxPhone = PHONE,
) -> str:
    """A well signed code with members replaced; None takes a member away."""
    parts = (HEADER | (header or {}), CLAIMS | (claims or {}))
    kept = [{name: value for name, value in part.items() if value is not None} for part in parts]
    return phone.sign(kept[0], kept[1])


def joserfc_says(token: str) -> bool:
    """Whether joserfc finds the phone's ES256 signature right."""
    try:
        joserfc_jwt.decode(token, JOSERFC_KEY, algorithms=["ES256"])
    except (JoseError, ValueError):
        return False
    return True


def refuse_malformed(token: str) -> None:
    with pytest.raises(PayCodeMalformed):
        verify(token, KEY, NOW)
