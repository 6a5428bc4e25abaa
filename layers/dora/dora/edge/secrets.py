"""The API key from Secrets Manager: JSON `{"key_id": ..., "private_key_pem": ...}`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from dora.core.errors import SecretInvalid
from dora.core.plain_text import FIX, foreign_character
from dora.edge.aws import open_client
from dora.edge.net.request import Network

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_AGAIN = "the next cycle tries again"
_SHAPE = 'store JSON text {"key_id": "...", "private_key_pem": "..."} in it'
_REFUSALS = {
    "ResourceNotFoundException": "is not in this account and region: create it or correct KALSHI_SECRET_ID",
    "AccessDeniedException": "may not be read: allow this function secretsmanager:GetSecretValue on it",
    "InvalidRequestException": "is marked for deletion or has no current value: restore it",
    "DecryptionFailure": "cannot be decrypted: allow this function kms:Decrypt on its key",
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key. Its text form shows the id only."""

    key_id: str
    private_key_pem: str = field(repr=False)


def secrets_client(endpoint_url: str | None, network: Network | None = None) -> "SecretsManagerClient":
    """A client that gives up after 3 tries of 3 s, and before the deadline."""
    client: SecretsManagerClient = open_client(
        "secretsmanager", endpoint_url, network, read_timeout_s=2, tries=3
    )
    return client


def read_key(client: "SecretsManagerClient", secret_id: str) -> ApiKey:
    """The key that a secret, by name or ARN, holds now.

    Raises SecretInvalid, which says what to do and quotes nothing of the secret.
    """
    content = _object(secret_id, _fetch(client, secret_id))
    pem = _text(secret_id, content, "private_key_pem")
    key_id = _text(secret_id, content, "key_id")
    if flaw := foreign_character(key_id):
        raise SecretInvalid(f"secret {secret_id}: key_id holds {flaw}: {FIX}")
    return ApiKey(key_id, pem)


def _fetch(client: "SecretsManagerClient", secret_id: str) -> str | None:
    """Its text; None where it is binary."""
    try:
        answer: Mapping[str, Any] = client.get_secret_value(SecretId=secret_id)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code") or "refused without a reason"
        refusal = _REFUSALS.get(code, f"could not be read: {code}; {_AGAIN}")
    except BotoCoreError as error:
        refusal = f"could not be read: {type(error).__name__}; {_AGAIN}"
    else:
        if "SecretString" in answer or "SecretBinary" in answer:
            return answer.get("SecretString")
        refusal = f"could not be read: the answer has no SecretString; {_AGAIN}"
    raise SecretInvalid(f"secret {secret_id} {refusal}")


def _object(secret_id: str, stored: str | None) -> dict[str, Any]:
    if stored is None:
        raise SecretInvalid(f"secret {secret_id} is binary: {_SHAPE}")
    try:
        content = json.loads(stored)
    except ValueError:
        # The parser's own message would quote the document.
        raise SecretInvalid(f"secret {secret_id} is not JSON: {_SHAPE}") from None
    if not isinstance(content, dict):
        raise SecretInvalid(f"secret {secret_id} is JSON but no object: {_SHAPE}")
    return content


def _text(secret_id: str, content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value.strip():
        state = "missing" if value is None else "empty or no text"
        raise SecretInvalid(f"secret {secret_id}: {name} is {state}; {_SHAPE}")
    return value.strip()
