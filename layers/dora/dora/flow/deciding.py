"""Steps 6 to 8 of a cycle: wanted quotes, caps, and the diff; no I/O, only values in and out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dora.core.book import Resting
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.expiry import RENEW_MS, expires_ms
from dora.core.fees import FeeTerms, fee_terms
from dora.core.journal import client_order_id
from dora.core.ledger import Position
from dora.core.model import (
    Market,
    OrderRequest,
    SessionMetadata,
    TargetOrder,
)
from dora.core.permission import Permission
from dora.core.planning import Rules, SlotPlan, plan_slots
from dora.core.ports import Reference
from dora.core.quoting.decision import Decision, QuoteInputs
from dora.core.quoting.maker import quote
from dora.core.reasons import Reason
from dora.core.reconciliation import View
from dora.core.risk import RiskFacts, RiskResult, apply_caps
from dora.core.session_limit import contracts_free
from dora.core.units import Count, TimeMs
from dora.flow.reading import Snapshot

Memory = Mapping[str, Mapping[str, object]]

SAID = "#said"
"""Where memory keeps what was last said of each market, so that only changes are said again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a cycle's decisions are made from: the same inputs always give the same plan."""

    now_ms: TimeMs
    globals_: GlobalConfig
    wanted: Mapping[str, MarketConfig]
    reference: Reference
    snapshot: Snapshot
    view: View
    positions: Mapping[str, Position]
    nets: Mapping[str, Count]
    permission: Permission
    memory: Memory
    session: SessionMetadata | None = None
    """None where nothing may be placed anyway."""
    starved: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a cycle decided, before anything was sent."""

    plan: SlotPlan
    decisions: tuple[Decision, ...] = ()
    news: tuple[Decision, ...] = ()
    """Those that differ from the last cycle's."""
    risk: RiskResult | None = None
    memory: Memory = field(default_factory=dict)


def decide(inputs: Inputs) -> Choice:
    """Quotes for all markets, within the caps, as a diff against what rests. Pure."""
    decisions, memory = _compute(inputs)
    targets = [target for decision in decisions for target in decision.targets]
    risk = apply_caps(targets, _risk_facts(inputs))
    rules = {
        ticker: _rules(inputs, market)
        for ticker, market in inputs.snapshot.markets.items()
        if ticker in inputs.wanted
    }
    plan = plan_slots(risk.kept, inputs.view, rules, inputs.starved)
    said = {decision.ticker: _saying(decision) for decision in decisions}
    before = inputs.memory.get(SAID, {})
    return Choice(
        plan=plan,
        decisions=decisions,
        news=tuple(d for d in decisions if before.get(d.ticker) != said[d.ticker]),
        risk=risk,
        memory={**memory, SAID: said},
    )


def _rules(inputs: Inputs, market: Market) -> Rules:
    """An order is renewed where a new one would rest longer."""
    end_ms = _expires_ms(inputs, market)
    return Rules(
        market.grid,
        inputs.wanted[market.ticker],
        renew_before_ms=min(TimeMs(inputs.now_ms + RENEW_MS), end_ms),
        extend_to_ms=end_ms if inputs.globals_.extend_expiry else None,
    )


def _expires_ms(inputs: Inputs, market: Market) -> TimeMs:
    config = inputs.wanted[market.ticker]
    return expires_ms(market, config, inputs.globals_, inputs.session, inputs.now_ms)


def _saying(decision: Decision) -> str:
    quotes = " ".join(f"{t.slot.side}{t.slot.level}@{t.price}x{t.count}" for t in decision.targets)
    return f"{decision.skip or ''}{quotes}"


def pull_all(view: View) -> SlotPlan:
    """No quote is wanted anywhere: cancel every order of ours that is proven to rest."""
    return plan_slots((), view, {})


def leave_all(view: View) -> SlotPlan:
    """Nothing may be decided: every order stays as it is."""
    kept = tuple(order for order in view.journal.orders.values() if order.open)
    return SlotPlan(kept=kept, decreases=(), cancels=(), places=(), withheld=())


def _compute(inputs: Inputs) -> tuple[tuple[Decision, ...], Memory]:
    """Each market on its own. A market that is not quoted says why, and keeps its memory."""
    own = inputs.view.resting_by_ticker()
    decisions: list[Decision] = []
    memory: dict[str, Mapping[str, object]] = {}
    for ticker, config in sorted(inputs.wanted.items()):
        before = inputs.memory.get(ticker)
        skip = _skip(inputs, ticker, config)
        if skip is None:
            asked = _quote_inputs(inputs, ticker, config, own.get(ticker, ()))
            decision, after = quote(asked, before)
            memory[ticker] = after
        else:
            decision = Decision(ticker=ticker, skip=skip)
            memory |= {ticker: before} if before else {}
        decisions.append(decision)
    return tuple(decisions), memory


def _skip(inputs: Inputs, ticker: str, config: MarketConfig) -> Reason | None:
    if not config.enabled:
        return Reason.MARKET_DISABLED
    market = inputs.snapshot.markets.get(ticker)
    if market is None:
        return Reason.MARKET_UNKNOWN
    barred = inputs.permission.shards.get(market.shard)
    return Reason.SHARD_WITHOUT_GROUP if barred is None and _ungrouped(inputs, market, config) else barred


def _ungrouped(inputs: Inputs, market: Market, config: MarketConfig) -> bool:
    """Whether the session has no group for this market's strategy on its shard: a new `start` makes it."""
    session = inputs.session
    if session is None or not session.use_order_groups:
        return False
    return session.group_for(market.shard, config.strategy_tag) is None


def _quote_inputs(inputs: Inputs, ticker: str, config: MarketConfig, own: tuple[Resting, ...]) -> QuoteInputs:
    market = inputs.snapshot.markets[ticker]
    return QuoteInputs(
        market=market,
        config=config,
        book=inputs.snapshot.books.get(ticker),
        own=own,
        net=inputs.nets.get(ticker, Count(0)),
        fees=fees_of(inputs, market),
        now_ms=inputs.now_ms,
    )


def net_positions(positions: Mapping[str, Position], view: View) -> dict[str, Count]:
    """Net YES contracts by ticker, proven fills that are not booked yet included."""
    nets = {ticker: position.net for ticker, position in positions.items()}
    for order in view.journal.orders.values():
        if order.unbooked:
            ticker = order.slot.ticker
            nets[ticker] = Count(nets.get(ticker, 0) + order.slot.side.sign * order.unbooked)
    return nets


def fees_of(inputs: Inputs, market: Market) -> FeeTerms | None:
    """What a fill in that market costs; None where that is not known for certain."""
    event = inputs.reference.events.get(market.event_ticker)
    series = inputs.reference.series.get(event.series_ticker) if event else None
    return fee_terms(series, event, market, inputs.now_ms)


def _risk_facts(inputs: Inputs) -> RiskFacts:
    """Where our count of a position and the exchange's differ, risk allows for both."""
    markets = inputs.snapshot.markets
    fees = {ticker: terms for ticker, m in markets.items() if (terms := fees_of(inputs, m)) is not None}
    return RiskFacts(
        limits=inputs.globals_,
        markets=markets,
        configs=inputs.wanted,
        events=inputs.reference.events,
        positions=inputs.positions,
        orders=tuple(inputs.view.journal.orders.values()),
        foreign=inputs.view.foreign,
        cash=inputs.snapshot.cash or {},
        fees=fees,
        contracts_free=_contracts_free(inputs),
        drift=_gaps(inputs),
    )


def _contracts_free(inputs: Inputs) -> Count | None:
    if inputs.session is None:
        return None
    traded = Count(sum(position.traded for position in inputs.positions.values()))
    return contracts_free(inputs.session, traded, inputs.view.journal.orders.values())


def _gaps(inputs: Inputs) -> dict[str, Count]:
    """What the exchange counts beyond our own net position, by ticker."""
    rows = inputs.snapshot.positions or ()
    gaps = {row.ticker: Count(row.net - inputs.nets.get(row.ticker, 0)) for row in rows}
    return {ticker: gap for ticker, gap in gaps.items() if gap}


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What an order's id and group are made from."""

    prefix: str
    cycle_id: str
    session: SessionMetadata


def order_requests(places: Iterable[TargetOrder], inputs: Inputs, naming: Naming) -> list[OrderRequest]:
    """Targets as requests: id, group, shard, and an expiry that takes the order off should nobody else.

    No order goes out without its group, unless the session runs without groups: such a market is skipped,
    with its reason, before it comes to this.
    """
    requests = []
    for target in places:
        market, config = inputs.snapshot.markets[target.slot.ticker], inputs.wanted[target.slot.ticker]
        group = naming.session.group_for(market.shard, config.strategy_tag)
        if group is None and naming.session.use_order_groups:
            continue
        requests.append(
            OrderRequest(
                client_order_id=client_order_id(
                    naming.prefix, naming.session.session_id, naming.cycle_id, target.slot
                ),
                slot=target.slot,
                shard=market.shard,
                price=target.price,
                count=target.count,
                group_id=group.group_id if group else None,
                expires_s=_expires_ms(inputs, market) // 1000,
            )
        )
    return requests
