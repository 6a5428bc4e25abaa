"""Loads a private key out of PEM text, and says of each kind that cannot be used how to mend it.

No message quotes the key: of its text only a character that cannot be part of one is named.
"""

import re
from collections.abc import Callable, Iterator

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from dora.core.errors import SecretInvalid
from dora.core.plain_text import FIX, name_of

_WHOLE = "store the whole text of the file, from its BEGIN line to its END line"
_WANTED = "the exchange takes RSA and Ed25519: make a new key there and store that"
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+", re.ASCII)
_Flaw = tuple[Callable[[str], object], str]
_FLAWS: tuple[_Flaw, ...] = (
    (lambda pem: not pem, f"is empty: {_WHOLE}"),
    (
        lambda pem: "\\n" in pem,
        "holds the two characters \\n where its line breaks should be: escape it once as JSON, not twice",
    ),
    (
        lambda pem: "ENCRYPTED" in pem,
        "is encrypted with a passphrase: store what `openssl pkey -in key.pem -out plain.pem` makes of it",
    ),
    (
        lambda pem: "BEGIN OPENSSH PRIVATE KEY" in pem,
        "is in OpenSSH's own format: convert a copy with `ssh-keygen -p -m PKCS8 -f <file>`",
    ),
    (
        lambda pem: re.search(r"BEGIN [A-Z0-9 ]*(PUBLIC KEY|CERTIFICATE)|^(ssh|ecdsa)-", pem),
        "is a public key or a certificate: store the private key that was downloaded when it was made",
    ),
    (
        lambda pem: "-----BEGIN" not in pem and _BASE64.fullmatch(pem),
        f"lacks its BEGIN and END lines: {_WHOLE}",
    ),
    (lambda pem: "-----BEGIN" not in pem, f"has no BEGIN line: {_WHOLE}"),
    (lambda pem: "-----END" not in pem, f"is cut off before its END line: {_WHOLE}"),
    (lambda _: True, f"is damaged or incomplete: {_WHOLE}"),
)
"""The first that applies to a text that does not load, and what to do about it."""


def load_private_key(pem: str) -> RSAPrivateKey | Ed25519PrivateKey:
    """An RSA or Ed25519 key. Raises SecretInvalid."""
    for number, line in enumerate(pem.strip().split("\n"), 1):
        for character in _foreign(line):
            raise _refusal(f"holds {name_of(character)} in line {number}: {FIX}") from None
    # Validating RSA primes costs about 35 ms of every cold start and protects from keys made by somebody
    # else; this one is our own, out of our own secret.
    try:
        key = load_pem_private_key(pem.strip().encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm:
        raise _refusal(f"is of a kind that cannot be loaded; {_WANTED}") from None
    except (ValueError, TypeError):
        raise _refusal(next(fix for applies, fix in _FLAWS if applies(pem.strip()))) from None
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return key
    curve = f" (curve {key.curve.name})" if isinstance(key, EllipticCurvePrivateKey) else ""
    raise _refusal(f"is an {type(key).__name__}{curve}; {_WANTED}") from None


def _foreign(line: str) -> Iterator[str]:
    return (own for own in line if not own.isascii() or not (own.isprintable() or own in "\t\r"))


def _refusal(why: str) -> SecretInvalid:
    return SecretInvalid(f"the private key {why}")
