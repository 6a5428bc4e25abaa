"""The default of fields that map: a mapping of nothing, which nobody can fill."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Never

EMPTY: Mapping[Any, Never] = MappingProxyType({})
