"""Request signatures: RSA-PSS (SHA-256, salt 32) or Ed25519 over timestamp + METHOD + path.

Beside these a shared secret, which no exchange knows: it signs the same text, refuses the same mistakes, and
costs a hundredth. It is for long runs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

from .wire import Refusal, Request

if TYPE_CHECKING:
    from .member import Member

Verifier = Callable[[bytes, bytes], None]  # (signature, text); raises InvalidSignature

_SALT_BYTES = 32
SHARED_SECRET = "shared-secret "
"""What a shared secret begins with, where a PEM text begins with dashes."""


def load_verifier(public_key_pem: str) -> Verifier:
    """The check for one public key, or one shared secret. TypeError: neither RSA nor Ed25519."""
    if public_key_pem.startswith(SHARED_SECRET):
        return _shared(public_key_pem)
    key = serialization.load_pem_public_key(public_key_pem.encode())
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key.verify
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=_SALT_BYTES)
        return lambda signature, text: key.verify(signature, text, pss, hashes.SHA256())
    raise TypeError(f"{type(key).__name__} keys cannot sign requests: use RSA or Ed25519")


def shared_signature(secret: str, text: bytes) -> bytes:
    """A text signed with a shared secret."""
    return hashlib.blake2b(text, key=secret.encode()).digest()


def _shared(secret: str) -> Verifier:
    def verify(signature: bytes, text: bytes) -> None:
        if signature != shared_signature(secret, text):
            raise InvalidSignature

    return verify


def is_signed(request: Request) -> bool:
    """Does the request carry a key id at all?"""
    return bool(request.header("KALSHI-ACCESS-KEY"))


def authenticate(
    request: Request, members: dict[str, Member], *, now_ms: int, past_ms: int, ahead_ms: int
) -> Member:
    """The member who signed the request, or a 401 refusal.

    `past_ms` and `ahead_ms` bound how far the signed timestamp may lie from now.
    """
    names = ("KALSHI-ACCESS-KEY", "KALSHI-ACCESS-TIMESTAMP", "KALSHI-ACCESS-SIGNATURE")
    key_id, stamp, signature = (request.header(name) for name in names)
    if not (key_id and stamp and signature):
        raise Refusal(401, "signature_is_missing_from_headers")
    if not stamp.isdigit() or not now_ms - past_ms <= int(stamp) <= now_ms + ahead_ms:
        raise Refusal(401, "header_timestamp_expired")
    member = members.get(key_id)
    if member is None:
        raise Refusal(401, "authentication_error", "NOT_FOUND")
    _verify(member, signature, f"{stamp}{request.method}{request.path}".encode())
    return member


def _verify(member: Member, signature: str, text: bytes) -> None:
    try:
        member.verifier(base64.b64decode(signature, validate=True), text)
    except (InvalidSignature, binascii.Error):
        raise Refusal(401, "authentication_error", "INCORRECT_API_KEY_SIGNATURE") from None
