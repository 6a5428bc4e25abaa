"""Every market's worst case before any target: what is held, certain to be held, and what may fill."""

from collections.abc import Iterable, Mapping

from dora.core.exchange.fees import FeeTerms, maker_fee
from dora.core.exchange.market import Side, Slot
from dora.core.failures import told
from dora.core.orders.journal import OrderState, TrackedOrder
from dora.core.risk.facts import RiskFacts
from dora.core.risk.market_risk import MarketRisk
from dora.core.risk.worst_fill import Worst, worst_fill
from dora.core.units import ONE_DOLLAR, Count, Price

BID = Side.BID
LIVE, CLOSED = OrderState.LIVE, OrderState.CLOSED


def worst_cases(facts: RiskFacts) -> dict[str, MarketRisk]:
    """Every market with a known object, a position or an order, before any target.

    One whose worst case cannot be computed stands at its face value, which is no less (fees apart). Orders
    are walked once, without grouping them by market first: a fifth of the time.
    """
    tickers = {*facts.markets, *facts.positions, *facts.drift, *[order.slot.ticker for order in facts.orders]}
    tickers |= {row.ticker for row in facts.external}
    parts: dict[Slot, Worst] = {}
    risks = {ticker: MarketRisk(facts.drift.get(ticker, 0), parts) for ticker in sorted(tickers)}
    failed = _sum_up(risks, facts) | dict(facts.failed)
    if failed:
        risks |= _at_face_value(failed, facts, tickers)
    return risks


def _sum_up(risks: Mapping[str, MarketRisk], facts: RiskFacts) -> dict[str, str]:
    """All that is held and may fill is added to its market; returns why that failed in some.

    Fills that are certain but not booked yet are held.
    """
    failed: dict[str, str] = {}
    terms_of = facts.fees.get
    for order in facts.orders:
        ticker = order.slot.ticker
        try:
            _add_order(risks[ticker], order, terms_of(ticker))
        except Exception as error:
            failed[ticker] = told(error)
    for row in facts.external:
        try:
            worst = worst_fill(row.side, row.price, row.remaining, terms_of(row.ticker))
            risks[row.ticker].add(row.side, row.price, worst)
        except Exception as error:
            failed[row.ticker] = told(error)
    for ticker, risk in risks.items():
        try:
            position = facts.positions.get(ticker)
            if position is not None and not position.settled:
                risk.hold(position.net, position.fees - position.cash)
            risk.settle()
        except Exception as error:
            failed[ticker] = told(error)
    return failed


def _add_order(risk: MarketRisk, order: TrackedOrder, terms: FeeTerms | None) -> None:
    slot, state, price, count = order.slot, order.state, order.price, order.remaining
    if order.count - order.reduced - count - order.booked > 0:  # `unbooked`, spelt out.
        _hold_fills(risk, order, terms)
    if state is CLOSED or not count:
        return
    worst = worst_fill(slot.side, price, count, terms)
    if state is LIVE:
        risk.add_live(slot, price, worst)
    else:
        risk.add(slot.side, price, worst)


def _hold_fills(risk: MarketRisk, order: TrackedOrder, terms: FeeTerms | None) -> None:
    """The fills of an order that are certain but not booked yet."""
    sign, count = order.slot.side.sign, order.unbooked
    fee = maker_fee(terms, order.price, count) if terms is not None else 0
    risk.hold(sign * count, sign * order.price * count + fee)


def _at_face_value(
    failed: Mapping[str, str], facts: RiskFacts, tickers: Iterable[str]
) -> dict[str, MarketRisk]:
    """As if every contract held or resting lost its whole dollar, and all that was ever paid with it.

    For markets whose worst case could not be computed: no less than it, fees apart.
    """
    risks = {t: MarketRisk(facts.drift.get(t, 0), {}, failed[t]) for t in tickers if t in failed}
    for ticker, risk in risks.items():
        position = facts.positions.get(ticker)
        if position is not None and not position.settled:
            risk.hold(0, ONE_DOLLAR * abs(position.net) + abs(position.cash) + abs(position.fees))
    for order in facts.orders:
        if order.slot.ticker in risks:
            risk = risks[order.slot.ticker]
            risk.hold(0, ONE_DOLLAR * order.unbooked)
            if order.open and order.remaining:
                _add_at_face(risk, order.slot.side, order.remaining)
    for row in facts.external:
        if row.ticker in risks:
            _add_at_face(risks[row.ticker], row.side, row.remaining)
    for risk in risks.values():
        risk.settle()
    return risks


def _add_at_face(risk: MarketRisk, side: Side, count: Count) -> None:
    """Contracts at the worst price there is. Their fee is not known; it is all that is left out."""
    price = ONE_DOLLAR if side is BID else Price(0)
    risk.add(side, price, worst_fill(side, price, count, None))
