"""The items of a query's answer, read off its JSON as they stand there.

botocore walks its model of DynamoDB over every attribute of every item, and hands out the same values but for
bytes: of a thousand configs that is most of what their read takes.
"""

import json
from base64 import b64decode
from typing import Any

_OK = 200


def items_apart(*, response_dict: Any, customized_response_dict: Any, **_: object) -> None:
    """A handler of botocore's `before-parse`: the items join the answer that is made of all the rest.

    Whatever is not plainly an answer with items is left to botocore, which says what is wrong with it.
    """
    if response_dict["status_code"] != _OK:
        return
    try:
        answer = json.loads(response_dict["body"])
        for item in answer["Items"]:
            for value in item.values():
                _decode(value)
    except (ValueError, LookupError, TypeError, AttributeError):
        return
    customized_response_dict["Items"] = answer.pop("Items")
    response_dict["body"] = json.dumps(answer).encode()


def _decode(value: Any) -> None:
    """Bytes in place of their base64, in this attribute value and those within. Raises for what is none."""
    ((kind, content),) = value.items()
    if content is None:
        raise ValueError(f"an attribute of type {kind} without its value")
    if kind == "B":
        value["B"] = b64decode(content)
    elif kind == "BS":
        value["BS"] = [b64decode(own) for own in content]
    elif kind == "L":
        for own in content:
            _decode(own)
    elif kind == "M":
        for own in content.values():
            _decode(own)
