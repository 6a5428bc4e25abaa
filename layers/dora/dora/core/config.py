"""The config table's items, parsed once and held to their rules: GLOBAL, SERIES#<ticker>, MARKET#<ticker>.

People write these items in dollars and contracts; here they become exact units. Every field states its
unit, its bounds and its default beside its name. An unknown key is refused with the nearest known name and
its unit, because a misspelt limit that is silently ignored is a limit that does not exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, TypeVar, cast

from dora.core.errors import ConfigInvalid, NumberInvalid
from dora.core.hints import nearest, unit_of
from dora.core.plain_text import FIX, foreign_character
from dora.core.units import (
    COUNT_DECIMALS,
    MONEY_DECIMALS,
    PRICE_DECIMALS,
    Count,
    Money,
    Price,
    format_scaled,
    parse_scaled,
)

RawItem = Mapping[str, object]
"""One item as stored: text and numbers both as str, flags as bool."""

SHORTEST_LIFE_S = 600
"""Orders are renewed minutes before they expire; much shorter lives would be nothing but renewals."""
_KEYS = frozenset({"pk", "sk", "v", "note", "created_at", "updated_at"})
_Config = TypeVar("_Config", "GlobalConfig", "MarketConfig", "SeriesConfig")


@dataclass(frozen=True, slots=True)
class _Rule:
    """How one attribute is read. `decimals` None means text or flag; `suffix` is part of the item's key."""

    decimals: int | None
    low: int = 0
    high: int = 0
    suffix: str = ""


def _number(decimals: int, suffix: str) -> Callable[..., Any]:
    def declare(low: str, high: str, default: str | None = None) -> Any:
        rule = _Rule(decimals, parse_scaled(low, decimals), parse_scaled(high, decimals), suffix)
        if default is None:
            return field(metadata={"rule": rule})
        return field(default=parse_scaled(default, decimals), metadata={"rule": rule})

    return declare


_contracts = _number(COUNT_DECIMALS, "")
_dollars = _number(MONEY_DECIMALS, "_dollars")
_price = _number(PRICE_DECIMALS, "_dollars")
_whole = _number(0, "")
_percent = _number(0, "_percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalConfig:
    """The GLOBAL item. Without it nothing is placed."""

    group_burst_limit: Count = _contracts("1", "1000000")
    """Contracts an order group may match in any 15 s before the exchange trips it."""
    trading_enabled: bool = False
    use_order_groups: bool = True
    auto_reset_on_limit: bool = False
    """Whether a session whose order group tripped is re-armed without a person. Nothing else ever is."""
    auto_reset_max: int = _whole("1", "100", "3")
    """How often in one session."""
    auto_reset_cooldown_s: int = _whole("90", "86400", "300")
    """How long after the trip; longer than a late order could still be accepted."""
    cancel_on_halt: bool = True
    """Whether resting quotes are taken off as well while nothing may be placed by a person's choice."""
    session_contract_limit: Count = _contracts("1", "10000000", "5000")
    session_hours: int = _whole("1", "168", "24")
    """How long a session lasts from its latest start; no order outlives it."""
    order_life_s: int = _whole("0", "604800", "21600")
    """Longest life of an order, 0 for none, else at least 600. It bounds how long an order that nobody can
    look after rests, and a slot whose order's fate stays unknown is frozen."""
    max_event_loss: Money = _dollars("0", "1000000", "200")
    """Worst loss of one event if every live and unresolved order fills."""
    max_total_loss: Money = _dollars("0", "10000000", "2000")
    """Worst loss over all events together, on the same terms."""
    max_daily_loss: Money = _dollars("0.01", "1000000", "100")
    """Loss since the exchange's midnight, realised and marked, fees in, at which the bot halts itself."""
    max_open_orders: int = _whole("0", "200000", "2000")
    extend_expiry: bool = False
    """Whether an order whose life is nearly over gets a later expiry in place, by an amend of 10 tokens that
    keeps its queue place. Otherwise it is cancelled and placed anew, for 12 tokens, at the queue's end."""
    cash_reserve: Money = _dollars("0", "10000000", "1")
    """Cash of each shard that quotes never touch."""
    create_batch_size: int = _whole("1", "1600", "20")
    cancel_batch_size: int = _whole("1", "8000", "100")
    unknown_create_hold_s: int = _whole("10", "600", "62")
    """How long after its signed timestamp a create whose answer was lost may still be accepted."""
    tombstone_s: int = _whole("60", "86400", "1800")
    """How long a closed order still hides stale rows of itself."""
    fills_overlap_s: int = _whole("60", "86400", "900")
    max_read_age_s: int = _whole("10", "3600", "120")
    """How long the exchange's reads may lack an acknowledged write of ours before nothing more is placed."""
    max_unpriced_age_s: int = _whole("10", "86400", "300")
    """A resting quote whose market cannot be computed, or, while nothing may be placed, holds no fair
    value, is left so long after its last write; then it is cancelled."""
    tape_after_ms: int = _whole("0", "60000", "500")
    """Reads of our orders that lag more than this send us to the public tape before a cancel."""
    placement_margin_ms: int = _whole("1000", "30000", "8000")
    """Placing stops when less than this is left of the invocation."""
    read_attempts: int = _whole("1", "5", "3")
    """How often a read of the exchange is tried. A write is sent once, whatever becomes of it."""
    read_backoff_ms: int = _whole("50", "5000", "200")
    """First wait between tries of a read, three times that after a 429; each further wait doubles."""
    rate_limit_backoff_ms: int = _whole("100", "60000", "2000")
    """After a 429 to a write nobody spends write tokens for this long; each further 429 in a row doubles
    it, up to a minute, and a write that passes ends the row."""
    max_clock_skew_ms: int = _whole("100", "10000", "2000")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketConfig:
    """How one market is quoted: a MARKET# item, or the template values of its SERIES# item."""

    ticker: str
    enabled: bool = False
    strategy_tag: str = "maker"
    quote_size: Count = _contracts("0.01", "100000", "10")
    max_position: Count = _contracts("0.01", "1000000", "100")
    """Largest net position either way if every live order fills."""
    levels: int = _whole("1", "5", "1")
    """Quotes a side, of `quote_size` each; together they stay within max_position, the inner ones first."""
    level_gap: Price = _price("0.0001", "0.5", "0.01")
    """Distance between neighbouring levels of a side, on the market's grid never less than one step."""
    min_edge: Price = _price("0", "0.5", "0.01")
    """Least distance from fair value, after fees, at which a quote is worth having."""
    min_half_spread: Price = _price("0.0001", "0.5", "0.01")
    max_spread: Price = _price("0.0001", "1", "0.2")
    """A book wider than this is not quoted: it holds no fair value."""
    min_price: Price = _price("0.0001", "0.9999", "0.03")
    max_price: Price = _price("0.0001", "0.9999", "0.97")
    """Fair value outside [min_price, max_price] is not quoted."""
    skew_at_max: Price = _price("0", "0.5", "0.05")
    """How far the reservation price moves at max_position near a fair value of one half."""
    volatility_percent_of_move: int = _whole("0", "1000", "100")
    """Half-spread added, as a share of the typical move of fair value over a minute."""
    max_speed_percent: int = _whole("1", "10000", "50")
    """A market is left alone once its mid moves by this share of its half-spread in a typical minute ..."""
    resume_speed_percent: int = _whole("1", "10000", "40")
    """... and is quoted again below this one."""
    price_tolerance_ticks: int = _whole("0", "50", "1")
    """A resting quote this close to its target keeps its queue place."""
    refill_below: int = _percent("0", "100", "25")
    """A partly filled quote is kept until less than this share of its target is left."""
    close_guard_s: int = _whole("0", "864000", "300")
    """No quote rests closer to the market's close than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesConfig:
    """A SERIES# item: which open markets of a series are quoted, and with which template values."""

    ticker: str
    enabled: bool = False
    max_markets: int = _whole("1", "3000", "200")
    min_life_s: int = _whole("0", "8640000", "3600")
    """Markets that close sooner than this after they are found are left alone."""
    template: Mapping[str, object] = field(default_factory=dict)

    def market(self, ticker: str) -> MarketConfig:
        """The template applied to one market of the series."""
        return parse_market(f"SERIES#{self.ticker}", ticker, {"enabled": True, **self.template})


_HOMES: Mapping[type[Any], str] = {
    GlobalConfig: "the GLOBAL item",
    MarketConfig: "MARKET# and SERIES# items",
    SeriesConfig: "SERIES# items",
}


def _read_number(where: str, name: str, value: object, rule: _Rule) -> int:
    decimals = cast(int, rule.decimals)
    low, high = format_scaled(rule.low, decimals).rstrip("."), format_scaled(rule.high, decimals).rstrip(".")
    try:
        number = parse_scaled(cast(str, value), decimals)
    except NumberInvalid as error:
        raise ConfigInvalid(where, f"{name} is {value!r}", f"write a number from {low} to {high}") from error
    if not rule.low <= number <= rule.high:
        raise ConfigInvalid(where, f"{name} is {value}", f"write a number from {low} to {high}")
    return number


def _read(where: str, name: str, value: object, spec: "Field[object]") -> object:
    rule: _Rule | None = spec.metadata.get("rule")
    if isinstance(value, str):
        value = value.strip()
        if flaw := foreign_character(value):
            raise ConfigInvalid(where, f"{name} holds {flaw}", FIX)
    if rule is not None:
        return _read_number(where, name, value, rule)
    wanted: type = bool if isinstance(spec.default, bool) else str
    if not isinstance(value, wanted) or value == "":
        raise ConfigInvalid(where, f"{name} is {value!r}", f"write a {'flag' if wanted is bool else 'text'}")
    return value


def _unknown(where: str, name: str, kind: type[_Config]) -> ConfigInvalid:
    """With the nearest key of any kind of item, its unit, and where it belongs if not here."""
    near = nearest(name, [key for other in _HOMES for key in _specs(other)])
    home = next(other for other in (kind, *_HOMES) if near in _specs(other))
    here = home is kind or (home is SeriesConfig and where.startswith("SERIES#"))
    belongs = "" if here else f", a key of {_HOMES[home]}"
    unit = _unit(near, _specs(home)[near])
    flaw = foreign_character(name)
    problem = f"unknown key {name!r}" + (f", which holds {flaw}" if flaw else "")
    return ConfigInvalid(where, problem, f"did you mean {near!r} ({unit}){belongs}?")


def _unit(name: str, spec: "Field[object]") -> str:
    rule: _Rule | None = spec.metadata.get("rule")
    if rule is None:
        return "true or false" if isinstance(spec.default, bool) else "text"
    return unit_of(name, "contracts" if rule.decimals == COUNT_DECIMALS else "a whole number")


def _specs(kind: type[Any]) -> dict[str, "Field[object]"]:
    skipped = {"ticker", "template"}
    return {
        spec.name + (spec.metadata["rule"].suffix if "rule" in spec.metadata else ""): spec
        for spec in fields(kind)
        if spec.name not in skipped
    }


def _parse(kind: type[_Config], where: str, raw: RawItem, **given: object) -> _Config:
    specs = _specs(kind)
    values = dict(given)
    for name, value in raw.items():
        if name in _KEYS:
            continue
        if name not in specs:
            raise _unknown(where, name, kind)
        values[specs[name].name] = _read(where, name, value, specs[name])
    for name, spec in specs.items():
        if spec.name not in values and spec.default is MISSING:
            raise ConfigInvalid(where, f"{name} is missing", "it has no default: choose a value")
    return kind(**cast(Any, values))


def parse_global(raw: RawItem) -> GlobalConfig:
    """The GLOBAL item. Raises ConfigInvalid."""
    config = _parse(GlobalConfig, "GLOBAL", raw)
    if 0 < config.order_life_s < SHORTEST_LIFE_S:
        raise ConfigInvalid("GLOBAL", "order_life_s is too short to quote with", "write 0, or 600 and more")
    return config


def parse_market(where: str, ticker: str, raw: RawItem) -> MarketConfig:
    """A MARKET# item (or a series template for one market). Raises ConfigInvalid."""
    config = _parse(MarketConfig, where, raw, ticker=ticker)
    if config.min_price >= config.max_price:
        raise ConfigInvalid(where, "min_price_dollars is not below max_price_dollars", "swap or widen them")
    if config.resume_speed_percent > config.max_speed_percent:
        raise ConfigInvalid(where, "resume_speed_percent is above max_speed_percent", "swap or widen them")
    if config.quote_size > config.max_position:
        raise ConfigInvalid(where, "quote_size is above max_position", "one fill must fit the position cap")
    return config


def parse_series(ticker: str, raw: RawItem) -> SeriesConfig:
    """A SERIES# item; its template values are checked as a market's would be. Raises ConfigInvalid."""
    where = f"SERIES#{ticker}"
    own = {name: value for name, value in raw.items() if name in _specs(SeriesConfig) or name in _KEYS}
    template = {name: value for name, value in raw.items() if name not in own}
    config = _parse(SeriesConfig, where, own, ticker=ticker, template=template)
    config.market(f"{ticker}-TEMPLATE")
    return config
