"""Signatures: what is signed, with which algorithm, and what a bad key is called."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)

from dora.core.errors import SecretInvalid
from dora.core.units import TimeMs
from dora.edge.kalshi.signing import Signer
from tests.unit.kalshi_fakes import NOW_MS, api_key
from tests.world.keys import KeyKind

PATH = "/trade-api/v2/portfolio/orders"
TEXT = f"{NOW_MS}GET{PATH}".encode()


def verify(kind: KeyKind, signature: bytes, text: bytes) -> None:
    """Raises InvalidSignature."""
    public = load_pem_public_key(api_key(kind).public_pem.encode())
    if isinstance(public, ed25519.Ed25519PublicKey):
        public.verify(signature, text)
    else:
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(signature, text, padding.PSS(padding.MGF1(SHA256()), salt_length=32), SHA256())


@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_time_method_and_path_are_signed_with_either_kind_of_key(kind: KeyKind) -> None:
    headers = Signer.from_pem("key-1", api_key(kind).private_pem).headers(TimeMs(NOW_MS), "GET", PATH)
    assert headers["KALSHI-ACCESS-KEY"] == "key-1"
    assert headers["KALSHI-ACCESS-TIMESTAMP"] == str(NOW_MS)
    verify(kind, b64decode(headers["KALSHI-ACCESS-SIGNATURE"]), TEXT)


def test_space_around_key_and_id_does_no_harm() -> None:
    signer = Signer.from_pem(" key-1\n", f"\n  {api_key().private_pem}\n")
    assert signer.key_id == "key-1"
    verify("ed25519", b64decode(signer.headers(TimeMs(NOW_MS), "GET", PATH)["KALSHI-ACCESS-SIGNATURE"]), TEXT)


def bad_pems() -> dict[str, str]:
    pem = api_key().private_pem
    curve = ec.generate_private_key(ec.SECP256R1())
    locked = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    other = curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "empty": "",
        "not a key": "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----",
        "public": api_key().public_pem,
        "cut": pem[: len(pem) // 2],
        "encrypted": locked.decode(),
        "another kind": other.decode(),
    }


@pytest.mark.parametrize("which", bad_pems())
def test_an_unusable_key_is_refused_without_quoting_it(which: str) -> None:
    pem = bad_pems()[which]
    with pytest.raises(SecretInvalid) as refused:
        Signer.from_pem("key-1", pem)
    lines = [line for line in pem.splitlines() if line and "---" not in line]
    assert not any(line in str(refused.value) for line in lines)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__ or which == "another kind"


def test_an_empty_key_id_is_refused() -> None:
    with pytest.raises(SecretInvalid):
        Signer.from_pem("  ", api_key().private_pem)


def test_the_signer_shows_nothing_of_the_key() -> None:
    assert repr(Signer.from_pem("key-1", api_key().private_pem)) == "Signer(key_id='key-1')"
