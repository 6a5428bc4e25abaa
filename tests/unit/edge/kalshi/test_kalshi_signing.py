"""Signatures: what is signed, with which algorithm, and what a bad key is called."""

import re
from base64 import b64decode
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from dora.core.errors import SecretInvalid
from dora.core.units import TimeMs
from dora.edge.kalshi.signing import Signer
from tests.support.kalshi_fakes import NOW_MS, api_key
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


def _written(key: PrivateKeyTypes, form: PrivateFormat, word: bytes = b"") -> str:
    locked = BestAvailableEncryption(word) if word else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, locked).decode()


@cache
def bad_pems() -> dict[str, tuple[str, str]]:
    """What people paste, and what it is called."""
    pem, old = api_key().private_pem, rsa.generate_private_key(65537, 2048)
    old_pem = _written(old, PrivateFormat.TraditionalOpenSSL)
    curve = ec.generate_private_key(ec.SECP256R1())
    public = old.public_key().public_bytes
    return {
        "empty": ("", "is empty"),
        "not a key": (
            "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", "is damaged or incomplete"
        ),
        "a line is missing": (re.sub(r"\n[^-\n]{64}", "", old_pem, count=1), "is damaged or incomplete"),
        "public": (api_key().public_pem, "is a public key"),
        "public RSA": (public(Encoding.PEM, PublicFormat.PKCS1).decode(), "is a public key"),
        "public OpenSSH": (public(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(), "is a public key"),
        "cut": (pem[: len(pem) // 2], "is cut off before its END line"),
        "literal line breaks": (pem.replace("\n", "\\n"), "holds the two characters \\n"),
        "encrypted": (_written(old, PrivateFormat.PKCS8, b"word"), "is encrypted with a passphrase"),
        "encrypted RSA": (
            _written(old, PrivateFormat.TraditionalOpenSSL, b"word"), "is encrypted with a passphrase"
        ),
        "OpenSSH": (_written(old, PrivateFormat.OpenSSH), "is in OpenSSH's own format"),
        "no armour": ("\n".join(old_pem.splitlines()[1:-1]), "lacks its BEGIN and END lines"),
        "a path": ("~/Downloads/kalshi.key", "has no BEGIN line"),
        "another curve": (_written(curve, PrivateFormat.PKCS8), "ECPrivateKey (curve secp256r1)"),
        "another kind": (_written(ed448.Ed448PrivateKey.generate(), PrivateFormat.PKCS8), "Ed448PrivateKey;"),
        "dashes": (pem.replace("---BEGIN", "\N{EM DASH}-BEGIN"), "holds U+2014 EM DASH in line 1"),
        "invisible": (
            pem.replace("\n-", "\N{ZERO WIDTH SPACE}\n-"), "holds U+200B ZERO WIDTH SPACE in line 2"
        ),
        "another line break": (
            pem.replace("\n", "\N{LINE SEPARATOR}"), "holds U+2028 LINE SEPARATOR in line 1"
        ),
    }  # fmt: skip


@pytest.mark.parametrize("which", bad_pems())
def test_an_unusable_key_is_told_apart_and_not_quoted(which: str) -> None:
    pem, called = bad_pems()[which]
    with pytest.raises(SecretInvalid) as refused:
        Signer.from_pem("key-1", pem)
    said = str(refused.value)
    assert said.startswith("the private key ") and called in said
    lines = [line for line in re.split(r"\s|\\\\n", pem) if len(line) > 8 and "---" not in line]
    assert not any(line in said for line in lines)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_each_way_in_which_a_key_cannot_be_used_has_a_message_of_its_own() -> None:
    messages = {}
    for which, (pem, _) in bad_pems().items():
        with pytest.raises(SecretInvalid) as refused:
            Signer.from_pem("key-1", pem)
        messages[which] = str(refused.value)
    alike = {"a line is missing": "not a key", "public RSA": "public", "public OpenSSH": "public",
             "encrypted RSA": "encrypted"}  # fmt: skip
    assert len(set(messages.values())) == len(messages) - len(alike)
    assert all(messages[one] == messages[other] for one, other in alike.items())


@pytest.mark.parametrize("old, new", [("\n", "\r\n"), ("\n", "\n  "), ("\n", " ")])
def test_a_key_whose_white_space_was_changed_still_loads(old: str, new: str) -> None:
    assert Signer.from_pem("key-1", api_key("rsa").private_pem.replace(old, new)).key_id == "key-1"


def test_an_empty_key_id_is_refused() -> None:
    with pytest.raises(SecretInvalid):
        Signer.from_pem("  ", api_key().private_pem)


def test_the_signer_shows_nothing_of_the_key() -> None:
    assert repr(Signer.from_pem("key-1", api_key().private_pem)) == "Signer(key_id='key-1')"
