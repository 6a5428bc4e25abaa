"""The API key from Secrets Manager: JSON `{"key_id": ..., "private_key_pem": ...}`, cached for 5 minutes."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.exceptions import ClientError

from dora.core.errors import SecretInvalid
from dora.core.plain_text import FIX, foreign_character
from dora.edge.aws import open_client
from dora.edge.net.request import Network

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

MAX_AGE_S = 300
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


class KeySecret:
    """One secret, by name or ARN. Every error is a SecretInvalid that says what to do and quotes nothing."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._provider = SecretsProvider(boto3_client=client)
        self._secret_id = secret_id

    def read(self, *, afresh: bool = False) -> ApiKey:
        """The key, at most 5 minutes old; `afresh` asks again, for one retry after a 401 (a rotated key)."""
        content = _object(self._secret_id, self._fetch(afresh))
        pem = _text(self._secret_id, content, "private_key_pem")
        key_id = _text(self._secret_id, content, "key_id")
        if flaw := foreign_character(key_id):
            raise SecretInvalid(f"secret {self._secret_id}: key_id holds {flaw}: {FIX}")
        return ApiKey(key_id, pem)

    def _fetch(self, afresh: bool) -> object:
        try:
            return self._provider.get(self._secret_id, max_age=MAX_AGE_S, force_fetch=afresh)
        except GetParameterError as error:
            raise SecretInvalid(f"secret {self._secret_id} {_refusal(error)}") from None


def _refusal(error: GetParameterError) -> str:
    """Powertools wraps botocore's error, which says by a code what is wrong."""
    cause = error.__context__
    if isinstance(cause, KeyError):
        return f"could not be read: the answer has no {cause.args[0]}; the next cycle tries again"
    if not isinstance(cause, ClientError):
        return f"could not be read: {type(cause).__name__}; the next cycle tries again"
    code = cause.response.get("Error", {}).get("Code") or "refused without a reason"
    return _REFUSALS.get(code, f"could not be read: {code}; the next cycle tries again")


def _object(secret_id: str, stored: object) -> dict[str, Any]:
    if not isinstance(stored, str):
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
