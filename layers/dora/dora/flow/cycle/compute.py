"""Steps 6 to 8 of a cycle: wanted quotes, caps, and the diff; no I/O, only values in and out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dora.core.accounts.ledger import Position
from dora.core.config import GlobalConfig, MarketConfig
from dora.core.event_choice import EventBrake
from dora.core.exchange.account import Limits
from dora.core.exchange.book import Resting
from dora.core.exchange.fees import FeeTerms, MarketFees, fee_terms, market_fees
from dora.core.exchange.market import Market, MarketStatus
from dora.core.exchange.snapshot import Snapshot
from dora.core.failures import told
from dora.core.fallbacks import UNLEARNED
from dora.core.hours import hours
from dora.core.incentives.programs import Running, reward_of, running
from dora.core.orders.diff import Rules, SlotPlan, plan_slots
from dora.core.orders.expiry import RENEW_MS, expires_ms, too_short
from dora.core.orders.ownership import unread_markets
from dora.core.orders.reconciliation import ReconciledOrders
from dora.core.orders.renewals import extended_early
from dora.core.quoting.admission import not_admitted
from dora.core.quoting.checked import checked
from dora.core.quoting.closing import as_markets_end
from dora.core.quoting.cool_off import STRIKES
from dora.core.quoting.decision import Decision, QuoteInputs, fair_prices
from dora.core.quoting.improvement import with_improvement
from dora.core.quoting.outside_value import STALE
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strikes import best_strikes
from dora.core.quoting.yielding import Yielding, yielding_now
from dora.core.reasons import Reason
from dora.core.risk.caps import RiskFacts, apply_caps
from dora.core.risk.gates import PULLS_QUOTES, Permission, trades
from dora.core.risk.rests import RESTS, Rest, read_rests, resting_now, shard_name
from dora.core.risk.session_limit import contracts_free
from dora.core.session import SessionMetadata
from dora.core.state import ReferenceData
from dora.core.units import Count, Money, TimeMs
from dora.core.verdict import final, why_none, with_reasons, with_since

MemoryByTicker = Mapping[str, Mapping[str, object]]

SAID, SINCE, WAITS, LIMITS = "#said", "#since", "#waits", "#limits"
"""Where memory keeps what was last said of each market, so that only changes are said again, since when those
that are not quoted are not, the cycles for which slots have waited for tokens, and the age of the account's
limits. Losing them costs repeated lines, a time, fairness and a read, and no more."""


LEARNING = PULLS_QUOTES | {
    Reason.ERROR_RATE,
    Reason.SHARD_UNFUNDED,
    Reason.GROUP_TRIPPED,
    Reason.SHARD_WITHOUT_GROUP,
    Reason.REFUSED_REPEATEDLY,
    Reason.BLACKOUT,
    Reason.COOL_OFF,
    Reason.EXTERNAL_ORDERS,
    Reason.EVENT_NOT_ADMITTED,
    Reason.EVENT_WITHOUT_GROUP,
    Reason.EVENT_RESTING,
}
"""Switches of ours under which strategies go on learning; a market that does not trade only looks quiet."""


def waits_of(memory: MemoryByTicker) -> dict[str, int]:
    """By `slot_key`, the cycles for which slots have waited for tokens."""
    return {key: wait for key, wait in memory.get(WAITS, {}).items() if isinstance(wait, int)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that a cycle's decisions are made from: the same inputs always give the same plan."""

    now_ms: TimeMs
    globals_: GlobalConfig
    wanted: Mapping[str, MarketConfig]
    reference: ReferenceData
    snapshot: Snapshot
    view: ReconciledOrders
    positions: Mapping[str, Position]
    nets: Mapping[str, Count]
    permission: Permission
    memory: MemoryByTicker
    session: SessionMetadata | None = None
    """As the cycle read it; None where there is none yet: then nothing may be placed."""
    events: Mapping[str, EventBrake] | None = None
    """How each event stands; None: orders are not grouped by event."""
    waits: Mapping[str, int] = field(default_factory=dict)
    """By `slot_key`, the cycles for which a slot has waited for tokens."""
    limits: Limits = UNLEARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a cycle decided, before anything was sent."""

    plan: SlotPlan
    decisions: tuple[Decision, ...] = ()
    news: tuple[Decision, ...] = ()
    """Those that differ from the last cycle's."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Markets of which something could not be computed, and why."""
    memory: MemoryByTicker = field(default_factory=dict)
    worst_loss: Money | None = None
    """If every open and wanted order fills and all events go the worst way; None: nobody worked it out."""


def decide(inputs: Inputs) -> Choice:
    """Quotes for all markets, within the caps, as a diff against what rests. Pure.

    What raises while one market is computed costs that market its quotes: it is skipped as `compute_failed`,
    its orders are kept, and whatever they may lose counts toward every cap.
    """
    wanted = as_markets_end(inputs.wanted, inputs.snapshot.markets, inputs.now_ms)
    inputs = replace(inputs, view=inputs.view.counting(), wanted=wanted)
    reference = inputs.reference
    fees = market_fees(inputs.snapshot.markets, reference.events, reference.series, inputs.now_ms)
    computed, memory = _compute(inputs, fees)
    targets = [target for decision in computed for target in decision.targets]
    risk = apply_caps(targets, _risk_facts(inputs, fees, computed))
    rules, unruled = _all_rules(inputs)
    failed = {d.ticker: d.error for d in computed if d.error} | dict(risk.failed) | unruled
    quoted = {d.ticker for d in computed if d.skip is None or d.skip is Reason.COMPUTE_FAILED}
    kept = [target for target in risk.kept if target.slot.ticker not in failed] if failed else risk.kept
    plan = plan_slots(kept, inputs.view, rules, failed.keys() & quoted)
    failed |= plan.failed
    decisions = final(computed, risk, failed)
    said = {decision.ticker: _saying(decision) for decision in decisions}
    before = inputs.memory.get(SAID, {})
    since, decisions = with_since(decisions, inputs.memory.get(SINCE, {}), inputs.now_ms)
    return Choice(
        plan=with_reasons(plan, inputs.view, decisions),
        decisions=decisions,
        news=tuple(d for d in decisions if before.get(d.ticker) != said[d.ticker]),
        failed=failed,
        memory={**memory, SAID: said, SINCE: since},
        worst_loss=risk.total_loss,
    )


def _all_rules(inputs: Inputs) -> tuple[dict[str, Rules], dict[str, str]]:
    """The rules of each wanted market that is known, and why some could not be made."""
    rules: dict[str, Rules] = {}
    failed: dict[str, str] = {}
    for ticker in inputs.snapshot.markets.keys() & inputs.wanted.keys():
        try:
            rules[ticker] = _rules(inputs, inputs.snapshot.markets[ticker])
        except Exception as error:
            failed[ticker] = told(error)
    latest_ms = {ticker: own.extend_to_ms for ticker, own in rules.items() if own.extend_to_ms is not None}
    orders = inputs.view.journal.orders
    early = extended_early(orders.values(), latest_ms, inputs.now_ms) if latest_ms else frozenset()
    for ticker in {orders[key].slot.ticker for key in early}:
        rules[ticker] = rules[ticker]._replace(early=early)
    return rules, failed


def _rules(inputs: Inputs, market: Market) -> Rules:
    """An order is renewed where a new one would rest longer."""
    end_ms = expiry_of(inputs, market)
    renew_ms = min(TimeMs(inputs.now_ms + RENEW_MS), end_ms)
    extend_ms = end_ms if inputs.globals_.extend_expiry else None
    config = inputs.wanted[market.ticker]
    return Rules(market.grid, config, renew_ms, extend_ms, hours(config, inputs.now_ms).gone_by_ms)


def expiry_of(inputs: Inputs, market: Market) -> TimeMs:
    """When an order that is placed now in this wanted market expires."""
    config = inputs.wanted[market.ticker]
    return expires_ms(market, config, inputs.globals_, inputs.session, inputs.now_ms)


def _saying(decision: Decision) -> str:
    quotes = " ".join([f"{t.slot.side!s}{t.slot.level}@{t.price}x{t.count}" for t in decision.targets])
    stale = "~" if decision.fair_value_source == STALE else ""
    return f"{why_none(decision) or ''}{stale}{quotes}"


def pull_all(view: ReconciledOrders, reason: Reason, triggered: Collection[str]) -> SlotPlan:
    """No quote is wanted anywhere: cancel every order of ours that is proven to rest.

    But for those of `triggered` groups: the trigger has taken them off, whatever a stale read shows.
    """
    plan = without_taken(plan_slots((), view, {}), view, triggered)
    return replace(plan, why=dict.fromkeys(plan.why, reason))


def without_taken(plan: SlotPlan, view: ReconciledOrders, triggered: Collection[str]) -> SlotPlan:
    """The plan, which asks nothing of orders whose group is triggered: the trigger has taken them off."""
    orders = view.journal.orders
    asked = {request.client_order_id for request in plan.cancels}
    asked |= {request.client_order_id for request in plan.decreases}
    asked |= {request.client_order_id for request in plan.extends}
    taken = {name for name in asked if orders[name].group_id in triggered} if triggered else set()
    if not taken:
        return plan
    kept = {order.client_order_id for order in plan.kept}
    return replace(
        plan,
        kept=(*plan.kept, *(orders[name] for name in sorted(taken - kept))),
        decreases=tuple(r for r in plan.decreases if r.client_order_id not in taken),
        cancels=tuple(r for r in plan.cancels if r.client_order_id not in taken),
        extends=tuple(r for r in plan.extends if r.client_order_id not in taken),
        why={name: why for name, why in plan.why.items() if name not in taken},
    )


def leave_all(view: ReconciledOrders) -> SlotPlan:
    """Nothing may be decided: every order stays as it is."""
    kept = tuple(order for order in view.journal.orders.values() if order.open)
    return SlotPlan(kept=kept, decreases=(), cancels=(), places=(), withheld=())


def _compute(inputs: Inputs, fees: MarketFees) -> tuple[tuple[Decision, ...], MemoryByTicker]:
    """Each market on its own. A market that is not quoted says why, and keeps its memory."""
    shared = _shared(inputs, fees)
    decisions: list[Decision] = []
    memory: dict[str, Mapping[str, object]] = {}
    for ticker in sorted(inputs.wanted):
        kept = inputs.memory.get(ticker)
        try:
            decision, after = _decision(inputs, ticker, shared)
            kept = kept if after is None else after
        except Exception as error:
            decision = Decision(ticker=ticker, skip=Reason.COMPUTE_FAILED, error=told(error))
        if kept:
            memory[ticker] = kept
        decisions.append(decision)
    if shared.programs is not None:
        decisions = best_strikes(decisions, inputs.snapshot.markets, inputs.wanted, shared.own, inputs.nets)
    return tuple(decisions), memory


class _Shared(NamedTuple):
    """What is worked out once for all markets."""

    fees: MarketFees
    own: Mapping[str, tuple[Resting, ...]]
    """By ticker, what of our account may stand in the books."""
    unread: frozenset[str]
    """Markets in which somebody else's order may be of any size."""
    resting: Mapping[str, Rest]
    """Markets, and shards by their name, whose orders were refused too often."""
    groups: frozenset[tuple[int, str]] | None
    """Shards and strategy tags for which the session has a group, others wait for a new `start`.

    None: it uses no groups.
    """
    yielding: Yielding
    programs: Running | None
    """None: nobody asks for any."""


def _shared(inputs: Inputs, fees: MarketFees) -> _Shared:
    session, groups = inputs.session, None
    if session is not None and session.use_order_groups:
        groups = frozenset((group.shard, group.tag) for group in session.order_groups)
    own, unread = inputs.view.resting_by_ticker(), unread_markets(inputs.snapshot.set_apart)
    resting = resting_now(read_rests(inputs.memory.get(RESTS, {})), inputs.now_ms)
    strikes = inputs.memory.get(STRIKES, {})
    yielding = yielding_now(inputs.view.external, inputs.snapshot.markets, strikes, inputs.now_ms)
    programs = running(inputs.memory, inputs.now_ms)
    return _Shared(fees, own, unread, resting, groups, yielding, programs)


def _decision(inputs: Inputs, ticker: str, shared: _Shared) -> tuple[Decision, Mapping[str, object] | None]:
    """One market, and its memory after this look; None where nobody looked."""
    config = inputs.wanted[ticker]
    skip = _skip(inputs, ticker, config, shared)
    if skip is not None and skip not in LEARNING:
        return _skipped(inputs, config, skip, shared), None
    if ticker in shared.fees.failed:
        failed = Reason.COMPUTE_FAILED
        return Decision(ticker=ticker, skip=failed, error=shared.fees.failed[ticker]), None
    market, before = inputs.snapshot.markets[ticker], inputs.memory.get(ticker)
    fees = shared.fees.known.get(ticker)
    barred = not_admitted(market, config, fees, inputs.now_ms)
    if barred is not None or fees is None:
        return Decision(ticker=ticker, skip=skip or barred or Reason.FEES_UNKNOWN), None
    asked = QuoteInputs(
        market=market,
        config=config,
        book=inputs.snapshot.books.get(ticker),
        own=shared.own.get(ticker, ()),
        net=inputs.nets.get(ticker, Count(0)),
        fees=fees,
        now_ms=inputs.now_ms,
        reward=reward_of(shared.programs, market, config, inputs.session),
    )
    strategy = STRATEGIES[config.strategy]
    decision, after = checked(strategy.quote(asked, None if before is None else dict(before)), asked)
    if skip is not None:
        return _skipped(inputs, config, skip, shared), after
    return with_improvement(decision, asked), after


def _skipped(inputs: Inputs, config: MarketConfig, skip: Reason, shared: _Shared) -> Decision:
    """A market that no strategy's answer counts for, and until when, where that is known."""
    until_ms = None
    if skip is Reason.COOL_OFF:
        until_ms = shared.yielding.until_ms(config, inputs.snapshot.markets[config.ticker].event_ticker)
    elif (now := hours(config, inputs.now_ms)).why is skip:
        until_ms = now.until_ms
    return Decision(config.ticker, skip=skip, until_ms=until_ms)


def learned(inputs: Inputs) -> MemoryByTicker:
    """Memory after a cycle in which a switch of ours forbids every placement: the halt costs no warm-up.

    Only where the books are what they seem: our own orders were read, and the shard trades.
    """
    snapshot, switch = inputs.snapshot, inputs.permission.blocked_by
    if switch not in LEARNING or snapshot.resting is None:
        return inputs.memory
    shards = {market.shard for market in snapshot.markets.values()}
    closed = {
        shard: Reason.SHARD_CLOSED for shard in shards if not trades((snapshot.status or {}).get(shard))
    }
    allowed = replace(inputs, permission=Permission(shards=closed), session=None)
    reference = inputs.reference
    fees = market_fees(snapshot.markets, reference.events, reference.series, inputs.now_ms)
    return {**inputs.memory, **_compute(allowed, fees)[1]}


def _skip(inputs: Inputs, ticker: str, config: MarketConfig, shared: _Shared) -> Reason | None:
    if not config.quoted:
        return Reason.RECORD_ONLY if config.record_only else Reason.MARKET_DISABLED
    market = inputs.snapshot.markets.get(ticker)
    if market is None:
        return Reason.MARKET_UNKNOWN
    if (why := hours(config, inputs.now_ms).why) is not None:
        return why
    if market.status is MarketStatus.ACTIVE and too_short(expiry_of(inputs, market), inputs.now_ms):
        return Reason.NEAR_CLOSE
    barred = inputs.permission.shards.get(market.shard)
    if barred is None and shared.groups is not None:
        barred = None if (market.shard, config.strategy_tag) in shared.groups else Reason.SHARD_WITHOUT_GROUP
    if barred is None and shared.resting and _rests(shared.resting, ticker, market.shard):
        return Reason.REFUSED_REPEATEDLY
    if barred is None and ticker in shared.unread:
        return Reason.READ_UNKNOWN
    barred = barred or _event_barred(inputs, market)
    return barred or shared.yielding.why(config, market.event_ticker)


def _event_barred(inputs: Inputs, market: Market) -> Reason | None:
    """Why nothing is placed in its event's own order group, where orders are grouped by event."""
    if inputs.events is None or market.status is not MarketStatus.ACTIVE:
        return None
    brake = inputs.events.get(market.event_ticker)
    if brake is None or (brake.reason is None and brake.shard != market.shard):
        return Reason.EVENT_WITHOUT_GROUP
    return brake.reason


def _rests(resting: Mapping[str, Rest], ticker: str, shard: int) -> bool:
    return ticker in resting or shard_name(shard) in resting


def net_positions(positions: Mapping[str, Position], view: ReconciledOrders) -> dict[str, Count]:
    """Net YES contracts by ticker, proven fills that are not booked yet included."""
    nets = {ticker: position.net for ticker, position in positions.items()}
    for order in view.journal.orders.values():
        if order.count - order.reduced - order.remaining > order.booked:  # `unbooked`, spelt out.
            ticker = order.slot.ticker
            nets[ticker] = Count(nets.get(ticker, 0) + order.slot.side.sign * order.unbooked)
    return nets


def fees_of(inputs: Inputs, market: Market) -> FeeTerms | None:
    """What a fill in that market costs; None where that is not known for certain."""
    event = inputs.reference.events.get(market.event_ticker)
    series = inputs.reference.series.get(event.series_ticker) if event else None
    return fee_terms(series, event, market, inputs.now_ms)


def _risk_facts(inputs: Inputs, fees: MarketFees, computed: Sequence[Decision]) -> RiskFacts:
    """Where our count of a position and the exchange's differ, risk allows for both."""
    return RiskFacts(
        limits=inputs.globals_,
        markets=inputs.snapshot.markets,
        configs=inputs.wanted,
        events=inputs.reference.events,
        positions=inputs.positions,
        orders=tuple(inputs.view.journal.orders.values()),
        external=inputs.view.external,
        cash=inputs.snapshot.cash or {},
        fees=fees.known,
        contracts_free=_contracts_free(inputs),
        failed=fees.failed,
        drift=_gaps(inputs),
        fair=fair_prices(computed),
        floors={own.ticker: own.reward_floor for own in computed if own.reward_floor},
        rates={own.ticker: own.reward_rate for own in computed if own.reward_rate},
        reducing=inputs.permission.reducing is not None,
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
