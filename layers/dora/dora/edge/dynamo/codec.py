"""DynamoDB items: attribute values, keys, the schema version, and collections packed into chunks.

Records that people may want to look at in the console are native attributes. Collections (segments of the
journal, plans, strategy memory, reference) are gzip'd JSON in a binary attribute, cut into chunks well below
the 400 kB an item may have. A chunk says how many there are and of which generation: a mixture is never
taken for a value.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from dora.core.errors import StateError, StateTooNew, StateUnavailable
from dora.edge.dynamo.serde import from_plain, to_plain

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Item = dict[str, "AttributeValueTypeDef"]
Value = TypeVar("Value")

SCHEMA = 2
OLDEST_SCHEMA = 1
"""Code reads its own version and the one before."""
SHARED_SCHEMA = 1
"""Of items that both versions read and write: all but the journal's."""
JOURNAL = "JOURNAL"
"""The head of the journal, in the bot's partition."""
JOURNAL_PARTITION = "#journal"
"""How the name of the journal's partition ends."""
CHUNK_BYTES = 350_000
CHUNK_ROWS = 1_500
MAX_DIGITS = 38
_FRAME = frozenset({"pk", "sk", "v", "expires_at"})


# --- attribute values ------------------------------------------------------------------------------


def attribute(plain: Any) -> "AttributeValueTypeDef":
    """The wire form of a plain value; numbers travel as int strings, never as floats or Decimals."""
    match plain:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": plain}
        case int():
            return {"N": _digits(plain)}
        case str():
            return {"S": plain}
        case bytes():
            return {"B": plain}
        case list():
            return {"L": [attribute(entry) for entry in plain]}
        case dict():
            return {"M": {key: attribute(entry) for key, entry in plain.items()}}
    raise TypeError(f"no attribute holds a {type(plain).__name__}")


def _digits(number: int) -> str:
    text = str(number)
    if len(text.lstrip("-")) > MAX_DIGITS:
        raise ValueError(f"{text} has more than {MAX_DIGITS} digits")
    return text


def plain_of(value: Mapping[str, Any]) -> Any:
    """Back from the wire. Raises StateError for a type this schema never writes."""
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "BOOL" | "S" | "B":
            return content
        case "N":
            return _integer(content)
        case "L":
            return [plain_of(entry) for entry in content]
        case "M":
            return {key: plain_of(entry) for key, entry in content.items()}
    raise StateError(f"an attribute of type {kind}")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StateError(f"{text!r} is not a whole number") from None


# --- items -----------------------------------------------------------------------------------------


def key(pk: str, sk: str) -> Item:
    """The key of one item."""
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def key_of(item: Mapping[str, Any]) -> tuple[str, str]:
    """Partition and sort key of an item as read."""
    return item["pk"]["S"], item["sk"]["S"]


def item_of(
    pk: str, sk: str, value: object, expires_s: int | None = None, *, version: int = SHARED_SCHEMA
) -> Item:
    """An item that holds one record (or object). `expires_s`: Unix seconds after which it may go."""
    body: dict[str, Any] = to_plain(value)
    if clash := _FRAME & body.keys():
        raise ValueError(f"{sk}: {sorted(clash)} are names of the frame")
    own = {name: attribute(entry) for name, entry in body.items()}
    frame = {**key(pk, sk), "v": attribute(version)}
    return {**frame, **own, **({} if expires_s is None else {"expires_at": attribute(expires_s)})}


def fields_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item's own fields. Raises StateTooNew or a StateError that names its key."""
    check_version(item)
    try:
        return {name: plain_of(value) for name, value in item.items() if name not in _FRAME}
    except StateError as error:
        raise named(item, error) from error


def integer_field(item: Mapping[str, Any], name: str) -> int:
    """One of an item's fields. Raises StateTooNew or a StateError that names its key."""
    value = fields_of(item).get(name)
    if type(value) is not int:
        raise named(item, StateError(f"{name} is {value!r}, no whole number"))
    return value


def value_of_item(kind: type[Value], item: Mapping[str, Any]) -> Value:
    """The record an item holds. Raises StateTooNew or a StateError that names its key."""
    body = fields_of(item)
    try:
        return from_plain(kind, body)
    except StateError as error:
        raise named(item, error) from error


def named(item: Mapping[str, Any], error: StateError) -> StateError:
    """The same complaint with the key of the item it is about."""
    return StateError(f"stored item {' / '.join(key_of(item))}: {error}")


def check_version(item: Mapping[str, Any]) -> None:
    """Raises StateTooNew for an item of a newer Dora, StateError for one without a readable version."""
    text = item.get("v", {}).get("N", "")
    if not text.isdecimal() or int(text) < OLDEST_SCHEMA:
        raise named(item, StateError(f"schema version {text or 'missing'} cannot be read"))
    newest = newest_of(*key_of(item))
    if int(text) > newest:
        where = " / ".join(key_of(item))
        raise StateTooNew(f"stored item {where} has schema version {text}, this code reads up to {newest}")


def newest_of(pk: str, sk: str) -> int:
    """The newest version that an item under this key may have."""
    return SCHEMA if sk == JOURNAL or pk.endswith(JOURNAL_PARTITION) else SHARED_SCHEMA


# --- collections -----------------------------------------------------------------------------------


def pack(plain: object) -> bytes:
    """gzip'd JSON; equal content makes equal bytes."""
    text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def unpack(body: object) -> Any:
    """Back from `pack`. Raises StateError."""
    try:
        return json.loads(gzip.decompress(cast(bytes, body)))
    except (TypeError, ValueError, EOFError, OSError, zlib.error) as error:
        raise StateError(f"body is not gzip'd JSON ({error})") from error


class Collection(NamedTuple):
    """A head of single values and any number of rows."""

    head: Mapping[str, Any]
    rows: Sequence[Any]


def chunk_key(name: str, number: int) -> str:
    """`ORDERS#00`."""
    return f"{name}#{number:02d}"


def chunk_place(item: Mapping[str, Any]) -> tuple[str, int]:
    """The collection's name and the chunk's number, from its key. Raises StateError."""
    name, _, number = key_of(item)[1].rpartition("#")
    if not number.isdecimal():
        raise named(item, StateError("this key belongs to no collection"))
    return name, int(number)


def chunk_items(pk: str, name: str, collection: Collection) -> list[Item]:
    """The items of a collection, at least one, each at most CHUNK_ROWS rows and CHUNK_BYTES."""
    head = collection.head
    bodies = packed_parts(collection.rows, lambda rows: pack({"head": head, "rows": rows}), CHUNK_ROWS)
    return numbered_items(pk, name, bodies, SHARED_SCHEMA)


def packed_parts(rows: Sequence[Any], packed: Callable[[Sequence[Any]], bytes], most: int) -> list[bytes]:
    """Bodies of at most `most` rows and CHUNK_BYTES that together hold the rows in order; at least one.

    Raises StateError for a row that does not fit an item.
    """
    firsts = range(0, max(len(rows), 1), most)
    return [body for first in firsts for body in _halved(rows[first : first + most], packed)]


def _halved(rows: Sequence[Any], packed: Callable[[Sequence[Any]], bytes]) -> list[bytes]:
    body = packed(rows)
    if len(body) <= CHUNK_BYTES:
        return [body]
    if len(rows) <= 1:
        raise StateError(f"one entry of {len(body)} packed bytes does not fit an item")
    middle = (len(rows) + 1) // 2
    return _halved(rows[:middle], packed) + _halved(rows[middle:], packed)


def numbered_items(pk: str, name: str, bodies: Sequence[bytes], version: int) -> list[Item]:
    """One item for each packed body; each names their number and their common generation."""
    generation = hashlib.sha256(b"".join(bodies)).hexdigest()[:16]
    parts = [{"body": body, "chunks": len(bodies), "generation": generation} for body in bodies]
    return [item_of(pk, chunk_key(name, n), part, version=version) for n, part in enumerate(parts)]


def generation_of(items: Sequence[Mapping[str, Any]]) -> str:
    """The generation that the chunks of one collection bear; "" for none."""
    return str(fields_of(items[0])["generation"]) if items else ""


def join_chunks(items: Iterable[Mapping[str, Any]]) -> Collection:
    """The collection that chunk items make up; raises as `contents`, or a StateError that names an item."""
    heads, rows = [], []
    for item, content in contents(items):
        if not isinstance(content, dict) or not isinstance(content.get("rows"), list):
            raise named(item, StateError("body holds no rows"))
        heads.append(content["head"])
        rows.extend(content["rows"])
    return Collection(heads[0], rows)


def contents(items: Iterable[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Any]]:
    """Each chunk with what it holds, in order; surplus ones of an earlier, larger value are left out.

    Raises StateUnavailable when they are of different generations: it was rewritten while being read.
    """
    numbered = {chunk_place(item)[1]: item for item in items}
    first = fields_of(numbered[0]) if 0 in numbered else {}
    count, found = first.get("chunks"), []
    for number in range(count if isinstance(count, int) else 0):
        item = numbered.get(number)
        if item is None or (fields := fields_of(item)).get("generation") != first.get("generation"):
            raise _torn(numbered)
        found.append((item, _content(item, fields)))
    if not found:
        raise _torn(numbered)
    return found


def _content(item: Mapping[str, Any], fields: Mapping[str, Any]) -> Any:
    try:
        return unpack(fields.get("body"))
    except StateError as error:
        raise named(item, error) from error


def _torn(numbered: Mapping[int, Mapping[str, Any]]) -> StateUnavailable:
    name, _ = chunk_place(next(iter(numbered.values())))
    return StateUnavailable(f"{name} was rewritten while it was being read")
