"""`secret put`: the exchange's API key into the secret that the functions read, after asking the exchange."""

import json
from pathlib import Path

import click

from dora.core.errors import AuthRefused, ExchangeError
from dora.edge.kalshi.signing import Signer
from dora_operator.changes import note_change
from dora_operator.confirm import agreed
from dora_operator.desk import Desk, command, pairs
from dora_operator.exchange import base_url, exchange_by, signer_of
from dora_operator.failures import Exit, OperatorError
from dora_operator.suggesting import Suggesting
from dora_operator.target import Target
from dora_operator.whole_file import read_whole


@click.group("secret", cls=Suggesting)
def secret() -> None:
    """Store the exchange's API key."""


@command("put")
@click.option("--key-id", required=True, help="The key's id, as the exchange shows it.")
@click.option("--pem", required=True, type=click.Path(path_type=Path), help="File with the private key.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def put(desk: Desk, key_id: str, pem: Path, yes: bool) -> None:
    """Store an API key, once the exchange has accepted it.

    The functions take it up within five minutes, or after the first request that is refused with the old one.
    """
    target = desk.target
    text = read_whole(pem)
    signer = signer_of(key_id, pem, text)
    tier = _accepted(target, signer)
    agreed(
        target, f"Store this key in secret {target.secret_name}; a key that is there is replaced.", yes=yes
    )
    note_change(target, "secret put", {"secret": target.secret_name})
    _store(target, json.dumps({"key_id": signer.key_id, "private_key_pem": text}))
    told = {"stored": target.secret_name, "accepted": True, "tier": tier}
    desk.show(told, pairs("", [("stored in", target.secret_name), ("accepted", "yes"), ("tier", tier)]))


def _accepted(target: Target, signer: Signer) -> str:
    """The account's tier, which only a key that the exchange accepts can read."""
    exchange = exchange_by(signer, base_url(target), target.clock)
    try:
        return exchange.limits().tier
    except AuthRefused as error:
        raise OperatorError(
            f"the exchange refuses this key: {error}",
            f"is it a key of stage {target.stage}, and is the id its own? Nothing was stored",
        ) from None
    except ExchangeError as error:
        raise OperatorError(
            f"the key could not be checked: {error}", "nothing was stored", Exit.UNKNOWN
        ) from None


def _store(target: Target, text: str) -> None:
    client = target.client("secretsmanager")
    try:
        client.put_secret_value(SecretId=target.secret_name, SecretString=text)
    except client.exceptions.ResourceNotFoundException:
        client.create_secret(Name=target.secret_name, SecretString=text)


secret.add_command(put)
