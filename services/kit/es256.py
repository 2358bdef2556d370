"""Whether a P-256 key signed this: ES256 as compact tokens write it, r and s of 32 bytes each.

Law: a signature of another length or of impossible numbers is no signature, and never an error.
Source: RFC 7518 section 3.4.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

NUMBER_BYTES = 32
_ALGORITHM = ec.ECDSA(SHA256())


def has_signed(key: ec.EllipticCurvePublicKey, content: bytes, signature: bytes) -> bool:
    """Whether `signature` over `content` is this key's; the key is on P-256."""
    if len(signature) != 2 * NUMBER_BYTES:
        return False
    r, s = int.from_bytes(signature[:NUMBER_BYTES]), int.from_bytes(signature[NUMBER_BYTES:])
    try:
        key.verify(encode_dss_signature(r, s), content, _ALGORITHM)
    except InvalidSignature:
        return False
    return True
