"""Steps 6 to 8 of a cycle: wanted quotes (`quote`), caps, and the diff; no I/O, only values in and out."""

from collections.abc import Sequence
from functools import lru_cache

from dora.core.exchange.fees import MarketFees
from dora.core.exchange.market import Side
from dora.core.orders.diff import plan_slots
from dora.core.orders.expiry import RENEW_MS, Timetable
from dora.core.orders.keeping import Rules
from dora.core.orders.renewals import extended_early
from dora.core.quoting.closing import as_markets_end
from dora.core.quoting.decision import Decision, fair_prices
from dora.core.quoting.outside_value import STALE
from dora.core.reasons import Reason
from dora.core.risk.caps import apply_caps
from dora.core.risk.facts import RiskFacts
from dora.core.risk.session_limit import contracts_free
from dora.core.units import Count, Price, TimeMs
from dora.core.verdict import final, why_none, with_reasons, with_since
from dora.flow.cycle.inputs import SAID, SINCE, Choice, Inputs, market_fees_of, times_of
from dora.flow.cycle.quote import quote_all


def decide(inputs: Inputs) -> Choice:
    """Quotes for all markets, within the caps, as a diff against what rests. Pure.

    What raises while one market is computed costs that market its quotes: it is skipped as `compute_failed`,
    its orders are kept, and whatever they may lose counts toward every cap.
    """
    wanted = as_markets_end(inputs.wanted, inputs.snapshot.markets, inputs.now_ms)
    inputs = inputs._replace(view=inputs.view.counting(), wanted=wanted)
    fees, times = market_fees_of(inputs), times_of(inputs)
    computed, memory = quote_all(inputs, fees, times)
    targets = [target for decision in computed for target in decision.targets]
    risk = apply_caps(targets, _risk_facts(inputs, fees, computed))
    rules = _all_rules(inputs, times)
    failed = {d.ticker: d.error for d in computed if d.error} | dict(risk.failed) | times.failed
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


def _all_rules(inputs: Inputs, times: Timetable) -> dict[str, Rules]:
    """What the diff goes by in each market. An order is renewed where a new one would rest longer."""
    markets, wanted, extends = inputs.snapshot.markets, inputs.wanted, inputs.globals_.extend_expiry
    soon_ms, rules = TimeMs(inputs.now_ms + RENEW_MS), dict[str, Rules]()
    for ticker, hours in times.hours.items():
        end_ms = times.expires_ms[ticker]
        renew_ms = soon_ms if soon_ms < end_ms else end_ms
        extend_ms = end_ms if extends else None
        rules[ticker] = Rules(markets[ticker].grid, wanted[ticker], renew_ms, extend_ms, hours.gone_by_ms)
    if extends:
        orders = inputs.view.journal.orders
        early = extended_early(orders.values(), times.expires_ms, inputs.now_ms)
        for ticker in {orders[key].slot.ticker for key in early}:
            rules[ticker] = rules[ticker]._replace(early=early)
    return rules


def _saying(decision: Decision) -> str:
    """What memory keeps of it, to tell it from the next one: its quotes, or why it has none."""
    targets = decision.targets
    quotes = " ".join(
        [_quote_said(side, level, price, count) for (_, side, level), price, count, _ in targets]
    )
    stale = "~" if decision.fair_value_source == STALE else ""
    return f"{why_none(decision) or ''}{stale}{quotes}"


@lru_cache(maxsize=16_384)
def _quote_said(side: Side, level: int, price: Price, count: Count) -> str:
    """Written once: most quotes of a cycle are those of the last one, and half of a text is its numbers."""
    return f"{side!s}{level}@{price}x{count}"


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
