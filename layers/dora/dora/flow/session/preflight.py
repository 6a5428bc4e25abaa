"""What must hold before a session opens: every finding is returned at once, none of them written anywhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from dora.core.accounts.fill_reach import gap
from dora.core.accounts.shard_cash import full_quotes
from dora.core.burst_limits import parse_burst_limits
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.errors import ExchangeError, ExchangeUnavailable, RateLimited
from dora.core.exchange.account import Limits, ShardStatus
from dora.core.exchange.market import Market
from dora.core.exchange.pacing import READ_COST
from dora.core.exchange.read_calls import ticker_lists
from dora.core.fallbacks import UNCONFIGURED, UNLEARNED
from dora.core.orders.renewals import EXTENSIONS, with_life
from dora.core.ports import Ports
from dora.core.state import BotState
from dora.core.units import Money, format_money
from dora.flow.shared.reads import await_balance, await_tokens, cash_again
from dora.flow.shared.universe import refresh_listings, wanted_markets
from dora.flow.shared.unreadable_facts import set_apart

PREFLIGHT_READS = 7
"""Calls of a start that do not grow with the markets."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preflight:
    """Findings in words; any of `blockers` forbids opening. `tags` are the shard and tag pairs in use."""

    findings: list[str]
    blockers: list[str]
    globals_: GlobalConfig
    limits: Limits
    tags: tuple[tuple[int, str], ...]


class _Findings:
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.blockers: list[str] = []

    def read(self, what: str, read: Callable[[], T]) -> T | None:
        """None when it could not be read, which blocks the start."""
        try:
            return read()
        except ExchangeError as error:
            self.blockers.append(f"{what}: {error}")
            return None


def inspect(ports: Ports, state: BotState) -> Preflight:
    """Key, clock, exchange, shards, cash, limits and configs. Reads only."""
    found = _Findings()
    exchange = ports.exchange
    await_tokens(ports, "read", [READ_COST] * PREFLIGHT_READS)
    configs = ports.configs.load()
    for problem in configs.problems:
        (found.blockers if problem.where == "GLOBAL" else found.notes).append(str(problem))
    if configs.globals_ is None:
        found.blockers.append(
            "GLOBAL: there is no such item in the config table; without it nothing is placed"
        )
    if state.cursors.fills_ms and (why := gap(state.cursors.fills_ms, ports.clock.now_ms())):
        found.notes.append(why)
    globals_ = configs.globals_ or UNCONFIGURED
    limits = found.read("account limits", exchange.limits) or UNLEARNED
    shards = found.read("exchange status", exchange.status)
    await_balance(ports)  # Not earlier: what is read before it may have to be repeated.
    cash = found.read("balance", lambda: _cash(ports))
    groups = found.read("order groups", exchange.order_groups)
    set_apart(ports.facts, groups.unreadable if groups else ())
    if abs(exchange.skew_ms) > globals_.max_clock_skew_ms:
        found.blockers.append(f"our clock is {exchange.skew_ms} ms from the exchange's")
    wanted = wanted_markets(
        configs, refresh_listings(ports, configs, state.reference, state.memory, force=True)
    )
    quoted = {ticker: config for ticker, config in wanted.items() if config.quoted}
    await_tokens(ports, "read", [READ_COST for _ in ticker_lists(quoted)])
    markets = found.read("markets", lambda: exchange.markets(sorted(quoted)))
    _judge_markets(found, quoted, markets)
    _judge_life(found, globals_, wanted)
    _judge_tags(found, globals_, quoted)
    needs = _needs(quoted, markets or {})
    _judge_shards(found, needs, shards, cash)
    return Preflight(
        findings=found.blockers + found.notes,
        blockers=found.blockers,
        globals_=globals_,
        limits=limits,
        tags=tuple(sorted(needs)),
    )


def _cash(ports: Ports) -> Mapping[int, Money]:
    """Raises ExchangeError when it failed twice."""
    try:
        return ports.exchange.cash()
    except (ExchangeUnavailable, RateLimited):
        return cash_again(ports)


def _judge_markets(
    found: _Findings, quoted: Mapping[str, MarketConfig], markets: Mapping[str, Market] | None
) -> None:
    """Nothing of markets that could not be read (None): that is a blocker of its own."""
    unknown = [] if markets is None else sorted(quoted.keys() - markets.keys())
    if unknown:
        named = f"{', '.join(unknown[:5])} ({len(unknown)} in all)"
        found.notes.append(f"the exchange does not know {named}; correct the ticker, or disable the item")
    if not quoted:
        found.notes.append("no market is configured and enabled: nothing will be quoted")


def _judge_life(found: _Findings, globals_: GlobalConfig, wanted: Mapping[str, MarketConfig]) -> None:
    life_s = with_life(globals_, wanted).order_life_s
    if life_s != globals_.order_life_s:
        found.notes.append(
            f"orders live {life_s} s and not order_life_s ({globals_.order_life_s} s): a cycle extends "
            f"{EXTENSIONS} of them; quote fewer levels or markets, or set extend_expiry to false"
        )


def _judge_tags(found: _Findings, globals_: GlobalConfig, quoted: Mapping[str, MarketConfig]) -> None:
    unused = parse_burst_limits(globals_.group_burst_limits).keys() - {
        config.strategy_tag for config in quoted.values()
    }
    if unused:
        found.notes.append(
            f"group_burst_limits names {', '.join(sorted(unused))}: no quoted market has such a strategy_tag"
            "; correct it there, or leave it out"
        )


def _judge_shards(
    found: _Findings,
    needs: Mapping[tuple[int, str], Money],
    shards: Mapping[int, ShardStatus] | None,
    cash: Mapping[int, Money] | None,
) -> None:
    """None is what could not be read: that is a blocker of its own, and no reason to call a shard empty."""
    for shard in sorted({shard for shard, _ in needs}):
        status = shards.get(shard) if shards is not None else None
        if shards is not None and not (status and status.exchange_active and status.trading_active):
            found.notes.append(f"shard {shard} is not trading: its markets wait")
        needed = Money(sum(money for (s, _), money in needs.items() if s == shard))
        if cash is not None and cash.get(shard, 0) < needed:
            found.notes.append(
                f"shard {shard} {_holding(cash, shard)}, its quotes may need ${format_money(needed)}: "
                "fund it or quote less"
            )


def _holding(cash: Mapping[int, Money], shard: int) -> str:
    return f"holds ${format_money(cash[shard])}" if shard in cash else "is not in the exchange's balance"


def _needs(quoted: Mapping[str, MarketConfig], markets: Mapping[str, Market]) -> dict[tuple[int, str], Money]:
    """Cash that one full set of quotes may hold, by shard and tag."""
    needs: dict[tuple[int, str], Money] = {}
    for ticker, market in markets.items():
        config = quoted[ticker]
        key = (market.shard, config.strategy_tag)
        needs[key] = Money(needs.get(key, 0) + full_quotes(config))
    return needs
