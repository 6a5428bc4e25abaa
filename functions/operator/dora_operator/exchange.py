"""The exchange, asked by a person with the key that the stack's secret holds, or with one of their own."""

import secrets as chance
from pathlib import Path

from dora.core.errors import SecretInvalid
from dora.edge.kalshi.client import KalshiExchange
from dora.edge.kalshi.signing import Signer
from dora.edge.secrets import read_key
from dora_operator.failures import Exit, OperatorError
from dora_operator.target import Clock, Target

BASE_URLS = {
    "kalshi-demo": "https://external-api.demo.kalshi.co/trade-api/v2",
    "prod": "https://external-api.kalshi.com/trade-api/v2",
}


class Unheard:
    """The product's facts, of which nobody keeps a log here. What failed is raised, not only told."""

    def emit(self, event_type: str, **fields: object) -> None:
        """Nothing."""

    def count(self, name: str, value: float) -> None:
        """Nothing."""

    def context(self, **keys: str) -> None:
        """Nothing."""


def base_url(target: Target) -> str:
    """Where the stack's exchange is."""
    if target.local:
        return str(target.local["exchange_url"])
    return target.parameters.get("KalshiBaseUrl") or BASE_URLS[target.stage]


def own_exchange(target: Target) -> KalshiExchange:
    """By the stack's secret, which the person must be allowed to read. Raises OperatorError."""
    try:
        key = read_key(target.client("secretsmanager"), target.secret_name)
        signer = Signer.from_pem(key.key_id, key.private_key_pem)
    except SecretInvalid as error:
        raise OperatorError(str(error), "`dora secret put --key-id ... --pem FILE` stores a key") from None
    return exchange_by(signer, base_url(target), target.clock, int(target.parameters.get("Subaccount", "0")))


def signer_of(key_id: str, pem: Path, text: str) -> Signer:
    """Of the key in a file of a person's. Raises OperatorError, which never quotes the key."""
    if not key_id.strip():
        raise OperatorError(
            "--key-id is empty", "write the id that the exchange shows beside the key", Exit.USAGE
        )
    try:
        return Signer.from_pem(key_id, text)
    except SecretInvalid as error:
        raise OperatorError(f"{pem}: {error}", exit_code=Exit.USAGE) from None


def exchange_by(signer: Signer, url: str, clock: Clock, subaccount: int = 0) -> KalshiExchange:
    """By a key at hand."""
    return KalshiExchange(
        base_url=url,
        signer=signer,
        clock=clock,
        facts=Unheard(),
        subaccount=subaccount,
        jitter_ms=chance.randbelow,
    )
