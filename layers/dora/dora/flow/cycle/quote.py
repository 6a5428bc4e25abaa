"""Step 6 of a cycle: what each market should rest, by its strategy, or why nothing."""

from collections.abc import Mapping

from dora.core.exchange.fees import MarketFees
from dora.core.failures import told
from dora.core.incentives.programs import reward_of
from dora.core.orders.expiry import Timetable
from dora.core.quoting.admission import not_admitted
from dora.core.quoting.checked import checked
from dora.core.quoting.decision import Decision, QuoteInputs, others_in
from dora.core.quoting.improvement import with_improvement
from dora.core.quoting.registry import STRATEGIES
from dora.core.quoting.strikes import best_strikes
from dora.core.reasons import Reason
from dora.core.risk.gates import Permission, trades
from dora.core.units import Count
from dora.flow.cycle.inputs import Inputs, MemoryByTicker, market_fees_of, times_of
from dora.flow.cycle.skips import LEARNING, Shared, shared_by_all, skipped, why_skipped

FLAT = Count(0)


def quote_all(
    inputs: Inputs, fees: MarketFees, times: Timetable
) -> tuple[tuple[Decision, ...], MemoryByTicker]:
    """Each market on its own. A market that is not quoted says why, and keeps its memory."""
    shared = shared_by_all(inputs, fees, times)
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


def _decision(inputs: Inputs, ticker: str, shared: Shared) -> tuple[Decision, Mapping[str, object] | None]:
    """One market, and its memory after this look; None where nobody looked."""
    config = inputs.wanted[ticker]
    skip = why_skipped(inputs, ticker, config, shared)
    if skip is not None and skip not in LEARNING:
        return skipped(inputs, config, skip, shared), None
    if ticker in shared.fees.failed:
        failed = Reason.COMPUTE_FAILED
        return Decision(ticker=ticker, skip=failed, error=shared.fees.failed[ticker]), None
    market, before = inputs.snapshot.markets[ticker], inputs.memory.get(ticker)
    fees = shared.fees.known.get(ticker)
    barred = not_admitted(market, config, fees, inputs.now_ms)
    if barred is not None or fees is None:
        return Decision(ticker=ticker, skip=skip or barred or Reason.FEES_UNKNOWN), None
    book, own = inputs.snapshot.books.get(ticker), shared.own.get(ticker, ())
    reward = reward_of(shared.programs, market, config, inputs.session)
    net = inputs.nets.get(ticker, FLAT)
    asked = QuoteInputs(market, config, book, own, others_in(book, own), net, fees, inputs.now_ms, reward)
    strategy = STRATEGIES[config.strategy]
    decision, after = checked(strategy.quote(asked, None if before is None else dict(before)), asked)
    if skip is not None:
        return skipped(inputs, config, skip, shared), after
    return with_improvement(decision, asked), after


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
    allowed = inputs._replace(permission=Permission(shards=closed), session=None)
    return {**inputs.memory, **quote_all(allowed, market_fees_of(allowed), times_of(allowed))[1]}
