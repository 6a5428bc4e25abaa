"""An exchange API key made on the spot, so that no private key ever lies in the repository."""

import secrets
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.simulator.auth import SHARED_SECRET

KeyKind = Literal["ed25519", "rsa", "shared"]
RSA_BITS, RSA_EXPONENT = 2048, 65_537


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key pair as PEM text, and the id under which the exchange knows it.

    A shared secret is both halves.
    """

    key_id: str
    private_pem: str
    public_pem: str


def fresh_key(kind: KeyKind = "ed25519", key_id: str = "key-of-the-bot") -> ApiKey:
    """A new key pair. Ed25519 is made at once; RSA, as the exchange's web page makes it, takes a while.

    "shared" is no key pair: the simulator alone accepts it, from a bot that is built to use it.
    """
    if kind == "shared":
        secret = SHARED_SECRET + secrets.token_hex(16)
        return ApiKey(key_id, secret, secret)
    private = _generate(kind)
    own = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return ApiKey(key_id, own.decode(), public.decode())


def _generate(kind: KeyKind) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    if kind == "rsa":
        return rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)
    return ed25519.Ed25519PrivateKey.generate()
