"""The API key's secret: read, and refused with a reason that gives nothing away."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from dora.core.errors import SecretInvalid
from dora.edge.secrets import ApiKey, read_key, secrets_client
from tests.world.cloud import open_cloud

PEM = "-----BEGIN EXAMPLE-----\nc2VjcmV0\n-----END EXAMPLE-----\n"
GOOD = {"key_id": "key-1", "private_key_pem": PEM}


@pytest.fixture
def client() -> Iterator[Any]:
    with open_cloud("process"):
        yield secrets_client(None)


def read(client: Any, content: object) -> ApiKey:
    """The key of a new secret with this content."""
    text = content if isinstance(content, str) else json.dumps(content)
    client.create_secret(Name="dora/key", SecretString=text)
    return read_key(client, "dora/key")


def test_a_key_comes_back_as_stored(client: Any) -> None:
    assert read(client, GOOD | {"key_id": " key-1\n"}) == ApiKey("key-1", PEM.strip())


def test_a_secret_that_is_not_there_says_what_to_do(client: Any) -> None:
    with pytest.raises(SecretInvalid, match=r"dora/key is not in this account and region: create it"):
        read_key(client, "dora/key")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "not JSON"),
        (PEM, "not JSON"),
        ('{"key_id": "key-1", "private_key_pem": "c2VjcmV0', "not JSON"),
        (["c2VjcmV0"], "no object"),
        ({"private_key_pem": PEM}, "key_id is missing"),
        ({"key_id": "key-1"}, "private_key_pem is missing"),
        (GOOD | {"key_id": " "}, "key_id is empty"),
        (GOOD | {"private_key_pem": {"c2VjcmV0": 1}}, "private_key_pem is empty or no text"),
    ],
)
def test_an_unusable_secret_says_why_and_how_it_should_be(
    client: Any, content: object, complaint: str
) -> None:
    with pytest.raises(SecretInvalid, match=complaint) as caught:
        read(client, content or " ")

    assert "store JSON text" in str(caught.value)
    assert "c2VjcmV0" not in _whole(caught.value)


def _whole(error: BaseException | None) -> str:
    """An error with everything a log would print of where it came from."""
    if error is None:
        return ""
    chained = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{error!r} {_whole(chained)}"


@pytest.mark.parametrize(
    ("pasted", "said"),
    [
        ("key\N{ZERO WIDTH SPACE}-1", "U+200B ZERO WIDTH SPACE at position 4"),
        ("key\N{EN DASH}1", "U+2013 EN DASH at position 4"),
        ("key\n-1", "U+000A LINE BREAK at position 4"),
        ("k\N{CYRILLIC SMALL LETTER IE}y-1", "U+0435 CYRILLIC SMALL LETTER IE at position 2"),
        ("key-1\ud800", "U+D800 UNNAMED CHARACTER at position 6"),
    ],
)
def test_a_character_pasted_into_the_key_id_is_named(client: Any, pasted: str, said: str) -> None:
    with pytest.raises(SecretInvalid) as refused:
        read(client, GOOD | {"key_id": pasted})
    assert str(refused.value).startswith(f"secret dora/key: key_id holds {said}: ")


def test_a_binary_secret_is_refused(client: Any) -> None:
    client.create_secret(Name="dora/key", SecretBinary=b"c2VjcmV0")

    with pytest.raises(SecretInvalid, match="binary") as caught:
        read_key(client, "dora/key")

    assert "c2VjcmV0" not in _whole(caught.value)


class RefusingClient:
    """Answers every read with the same error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_secret_value(self, **_: object) -> object:
        raise self._error


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (
            ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue"),
            "may not be read: allow",
        ),
        (ClientError({"Error": {"Code": "DecryptionFailure"}}, "GetSecretValue"), "kms:Decrypt"),
        (ClientError({"Error": {"Code": "SomethingElse"}}, "GetSecretValue"), "SomethingElse"),
        (ClientError({"Error": {}}, "GetSecretValue"), "refused without a reason; the next cycle"),
        (ClientError({}, "GetSecretValue"), "refused without a reason; the next cycle"),
        (ReadTimeoutError(endpoint_url="https://secrets"), "ReadTimeoutError; the next cycle tries again"),
    ],
)
def test_a_refused_read_says_why(error: Exception, complaint: str) -> None:
    with pytest.raises(SecretInvalid, match=complaint):
        read_key(RefusingClient(error), "dora/key")


def test_an_answer_without_a_secret_in_it_says_so() -> None:
    class Empty:
        def get_secret_value(self, **_: object) -> object:
            return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    with pytest.raises(SecretInvalid, match="the answer has no Secret"):
        read_key(Empty(), "dora/key")


def test_a_keys_text_form_shows_its_id_only() -> None:
    assert repr(ApiKey("key-1", PEM)) == "ApiKey(key_id='key-1')"
