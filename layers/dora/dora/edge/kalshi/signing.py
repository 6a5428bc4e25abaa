"""Signs requests with the account's private key: RSA (PSS) or Ed25519, whichever the key is."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from dora.core.errors import SecretInvalid
from dora.core.units import TimeMs
from dora.edge.kalshi.private_key import load_private_key

_DIGEST = SHA256()
_PADDING = PSS(mgf=MGF1(_DIGEST), salt_length=_DIGEST.digest_size)

_Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Signer:
    """One API key. Its text form shows the key id and nothing of the key."""

    key_id: str
    _sign: _Sign = field(repr=False)

    @classmethod
    def from_pem(cls, key_id: str, pem: str) -> Self:
        """Load a private key. Raises SecretInvalid, which never quotes the key."""
        if not key_id.strip():
            raise SecretInvalid("the API key id is empty")
        sign = _signing(load_private_key(pem))
        try:
            sign(b"probe")  # loading skips RSA validation: a damaged key shows only when it signs
        except ValueError:
            raise SecretInvalid("the private key cannot sign: too short or damaged") from None
        return cls(key_id.strip(), sign)

    def headers(self, at_ms: TimeMs, method: str, path: str) -> dict[str, str]:
        """The three headers of one attempt. `path` starts at /trade-api and has no query string."""
        text = f"{at_ms}{method}{path}".encode()
        return {
            "KALSHI-ACCESS-KEY": self.key_id,
            "KALSHI-ACCESS-TIMESTAMP": str(at_ms),
            "KALSHI-ACCESS-SIGNATURE": b64encode(self._sign(text)).decode(),
        }


def _signing(key: RSAPrivateKey | Ed25519PrivateKey) -> _Sign:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign
    return lambda text: key.sign(text, _PADDING, _DIGEST)
