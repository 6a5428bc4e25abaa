"""A config file: GLOBAL, markets and series of one stack and stage, as YAML or CSV.

    stack: dora-demo                    # stack: dora-demo
    stage: kalshi-demo                  # stage: kalshi-demo
    GLOBAL:                             item,enabled,quote_size,group_burst_limit
      group_burst_limit: 500            GLOBAL,,,500
    markets:                            MARKET#KXA-1,true,10,
      KXA-1: {enabled: true, quote_size: 10}
    series: {}

Every value is read as the text that stands there: no float ever comes between a price and the table.
"""

import csv
import io
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dora_operator.config_rules import GLOBAL, MARKET, SERIES, Items, Raw, typed
from dora_operator.failures import Exit, OperatorError
from dora_operator.whole_file import read_whole

SECTIONS = {"markets": MARKET, "series": SERIES}
HEAD = ("stack", "stage")
FORMS = (".yaml", ".yml", ".csv")


@dataclass(frozen=True)
class ConfigFile:
    """What a file says, and for which stack and stage."""

    stack: str
    stage: str
    items: Items


class _Texts(yaml.BaseLoader):
    """Every scalar is its text; a key that stands twice is an error, not the last one's victory."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_file(path: Path) -> ConfigFile:
    """Raises OperatorError that names the line."""
    text = read_whole(path, "utf-8-sig")  # a spreadsheet puts a mark before its first letter
    if not text.strip():
        raise _bad(path, "is empty")
    try:
        return _of_csv(text) if path.suffix == ".csv" else _of_yaml(text)
    except yaml.YAMLError as error:
        raise _bad(path, _in_one_line(error)) from None
    except ValueError as error:
        raise _bad(path, str(error)) from None


def _in_one_line(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"is no YAML: line {error.problem_mark.line + 1}: {error.problem}"
    return f"is no YAML: {str(error).splitlines()[0]}"


def _bad(path: Path, why: str) -> OperatorError:
    if path.suffix not in FORMS:
        why = f"is no config file: name a .csv or .yaml\n  it {why}"
    form = " --csv" if path.suffix == ".csv" else ""
    return OperatorError(f"{path} {why}", f"`dora config export{form}` writes an example", Exit.USAGE)


def _of_yaml(text: str) -> ConfigFile:
    content = yaml.load(text, Loader=_Texts)  # noqa: S506 # texts and nothing else
    if not isinstance(content, dict):
        raise ValueError("is no mapping of stack, stage, GLOBAL, markets and series")
    if strange := sorted(content.keys() - {*HEAD, GLOBAL, *SECTIONS}):
        raise ValueError(f"has {', '.join(strange)}; known are {', '.join((*HEAD, GLOBAL, *SECTIONS))}")
    items: Items = {GLOBAL: _item(GLOBAL, content[GLOBAL])} if GLOBAL in content else {}
    for section, prefix in SECTIONS.items():
        found = content.get(section) or {}
        if not isinstance(found, dict):
            raise ValueError(f"has no mapping of tickers under {section}")
        items |= {prefix + ticker: _item(prefix + ticker, raw) for ticker, raw in found.items()}
    return ConfigFile(_named(content, "stack", "stack: ..."), _named(content, "stage", "stage: ..."), items)


def _item(sort_key: str, written: object) -> Raw:
    if not isinstance(written, dict) or not all(isinstance(value, str) for value in written.values()):
        raise ValueError(f"has no mapping of keys to plain values at {sort_key}")
    return typed(sort_key, written)


def _named(content: Mapping[str, object], name: str, line: str) -> str:
    value = content.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"does not name its {name}: write `{line}` at its top")
    return value


def _of_csv(text: str) -> ConfigFile:
    lines = text.splitlines()
    marked = [line.lstrip("# ").partition(":") for line in lines if line.startswith("#")]
    head = {name.strip(): value.strip() for name, _, value in marked}
    reader = csv.DictReader(line for line in lines if line and not line.startswith("#"))
    if not reader.fieldnames or reader.fieldnames[0] != "item":
        raise ValueError(
            "has no column named item first: GLOBAL, MARKET#<ticker> or SERIES#<ticker>, divided by commas"
        )
    items: Items = {}
    for row in reader:
        if None in row or None in row.values():
            raise ValueError(f"has a row of another length than its header: {row.get('item')}")
        sort_key = row.pop("item").strip()
        sort_key = sort_key if sort_key == GLOBAL or "#" in sort_key else MARKET + sort_key
        if sort_key in items:
            raise ValueError(f"has {sort_key} twice")
        items[sort_key] = typed(
            sort_key, {name: value.strip() for name, value in row.items() if value.strip()}
        )
    return ConfigFile(_named(head, "stack", "# stack: ..."), _named(head, "stage", "# stage: ..."), items)


def written(file: ConfigFile, *, as_csv: bool, note: str = "") -> str:
    """The text of such a file; `note` goes to its top, as comments."""
    comments = "".join(f"# {line}\n" for line in note.splitlines())
    return comments + (_to_csv(file) if as_csv else _to_yaml(file))


def _to_yaml(file: ConfigFile) -> str:
    content: dict[str, Any] = {"stack": file.stack, "stage": file.stage}
    if GLOBAL in file.items:
        content[GLOBAL] = _plain(file.items[GLOBAL])
    for section, prefix in SECTIONS.items():
        own = {key.removeprefix(prefix): raw for key, raw in file.items.items() if key.startswith(prefix)}
        content[section] = {ticker: _plain(raw) for ticker, raw in sorted(own.items())}
    text: str = yaml.dump(content, Dumper=_Plain, sort_keys=False, width=110, default_flow_style=None)
    return text


class _Number(str):
    """Written without quotes: it is read as text again."""

    __slots__ = ()


class _Plain(yaml.SafeDumper):
    """Writes numbers as the texts that they are."""


def _number(dumper: yaml.SafeDumper, own: _Number) -> yaml.ScalarNode:
    kind = "float" if "." in own else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(own))


_Plain.add_representer(_Number, _number)


def _plain(raw: Raw) -> dict[str, str | bool]:
    return {name: _Number(own) if _numeric(own) else own for name, own in raw.items()}


def _numeric(value: str | bool) -> bool:
    return isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdigit()


def _to_csv(file: ConfigFile) -> str:
    names = list(dict.fromkeys(name for raw in file.items.values() for name in raw))
    out = io.StringIO()
    rows = csv.DictWriter(out, ["item", *names], restval="", lineterminator="\n")
    rows.writeheader()
    for sort_key, raw in file.items.items():
        shown = {name: str(own).lower() if isinstance(own, bool) else own for name, own in raw.items()}
        rows.writerow({"item": sort_key, **shown})
    return f"# stack: {file.stack}\n# stage: {file.stage}\n{out.getvalue()}"
