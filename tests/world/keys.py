"""An exchange API key made on the spot, so that no private key ever lies in the repository."""

from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

KeyKind = Literal["ed25519", "rsa"]
RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key pair as PEM text, and the id under which the exchange knows it."""

    key_id: str
    private_pem: str
    public_pem: str


def fresh_key(kind: KeyKind = "ed25519", key_id: str = "key-of-the-bot") -> ApiKey:
    """A new key pair. Ed25519 is made at once; RSA, as the exchange's own web page makes it, takes a while."""
    private = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, RSA_BITS)
    secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ApiKey(key_id, secret.decode(), public.decode())
