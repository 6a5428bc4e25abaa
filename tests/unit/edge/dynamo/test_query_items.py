"""Items read off a query's JSON: the very values that botocore makes of it."""

import json
from base64 import b64encode
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import JSONParser
from hypothesis import given
from hypothesis import strategies as st

from dora.edge.dynamo.query_items import items_apart

SHAPE = ServiceModel(Loader().load_service_model("dynamodb", "service-2"), "dynamodb").operation_model(
    "Query"
)
BASE64 = st.binary(max_size=20).map(lambda own: b64encode(own).decode())
FLAT = st.one_of(
    st.builds(lambda text: {"S": text}, st.text(max_size=20)),
    st.builds(lambda number: {"N": str(number)}, st.integers()),
    st.builds(lambda flag: {"BOOL": flag}, st.booleans()),
    st.builds(lambda own: {"B": own}, BASE64),
    st.builds(lambda own: {"BS": own}, st.lists(BASE64, max_size=3)),
    st.builds(lambda own: {"SS": own}, st.lists(st.text(max_size=9), max_size=3)),
    st.just({"NULL": True}),
)
VALUES = st.recursive(
    FLAT,
    lambda inner: st.one_of(
        st.builds(lambda own: {"L": own}, st.lists(inner, max_size=3)),
        st.builds(lambda own: {"M": own}, st.dictionaries(st.text(max_size=9), inner, max_size=3)),
    ),
    max_leaves=8,
)
ITEMS = st.lists(st.dictionaries(st.text(max_size=9), VALUES, max_size=4), max_size=4)


def parsed(body: bytes, status: int = 200, *, handled: bool) -> Any:
    """What a client hands out: botocore's parser, and what a handler put aside."""
    response: dict[str, Any] = {"status_code": status, "headers": {}, "body": body, "context": {}}
    aside: dict[str, Any] = {}
    if handled:
        items_apart(response_dict=response, customized_response_dict=aside, operation_model=SHAPE)
    return JSONParser().parse(response, SHAPE.output_shape) | aside


@given(ITEMS, st.booleans())
def test_items_are_those_that_botocore_reads(items: list[Any], last: bool) -> None:
    answer: dict[str, Any] = {"Items": items, "Count": len(items)}
    if not last:
        answer["LastEvaluatedKey"] = {"pk": {"S": "a"}, "sk": {"B": "AAE="}}
    body = json.dumps(answer).encode()

    assert parsed(body, handled=True) == parsed(body, handled=False)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"<html>",
        b'{"Items": [',
        b'{"Items": null}',
        b'{"Items": [{"pk": {"S": null}}]}',
        b'{"Items": [{"pk": {"S": "a", "N": "1"}}]}',
        b'{"__type": "x#ThrottlingException", "message": "later"}',
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_what_is_no_plain_answer_is_left_to_botocore(body: bytes, status: int) -> None:
    assert parsed(body, status, handled=True) == parsed(body, status, handled=False)
