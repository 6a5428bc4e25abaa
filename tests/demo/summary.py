"""The figures of a run: counted on the exchange where it can know them, else from the cycles' answers."""

from decimal import Decimal
from fractions import Fraction

from tests.demo.ledger import cash_difference_e6, ledger_difference_e6, profit_by_market
from tests.demo.observation import Observation
from tests.demo.options import iso
from tests.demo.scene import Scene
from tests.world.bot import Answer
from tests.world.world import World

CREATE_BATCH = "POST /portfolio/events/orders/batched"
SUMMED = ("placed", "cancelled", "kept", "failed", "unknown")
ZERO = Fraction(0)

Summary = dict[str, object]


def summarize(scene: Scene, world: World, seen: Observation, closing: Answer, seconds: float) -> Summary:
    """One JSON object, flat but for the profit by market. Dollars are exact decimal strings."""
    options = scene.options
    slots = options.cycles * len(scene.tickers) * 2
    books = world.bot.books()
    return {
        "data": options.data.name if options.data else "synthetic",
        "start": iso(scene.start_ms),
        "cycles": len(seen.cycles),
        "markets": len(scene.tickers),
        "seed": options.seed,
        "tier": options.tier,
        "plant": options.plant,
        "slot_cycles": slots,
        "slot_cycles_quoted": sum(row.quoted for row in seen.cycles),
        **_totals(seen),
        **_traffic(world, len(seen.cycles), seen),
        "fills": len(world.member.fills),
        "contracts": _decimal(Fraction(sum(fill.trade.count_e2 for fill in world.member.fills), 100)),
        "position_drift": world.books.wrong_nets,
        "pnl_dollars": _decimal(sum((rows[-1].profit_e6 for rows in seen.samples.values()), ZERO) / 10**6),
        "fees_dollars": _decimal(Fraction(sum(fill.fee_e6 for fill in world.member.fills), 10**6)),
        "pnl_by_market": {
            ticker: _decimal(profit) for ticker, profit in profit_by_market(seen, books).items()
        },
        "markets_paid_out": sum(own.settled for own in books.ledgers.values()) if books else None,
        "ledger_difference_micro_dollars": ledger_difference_e6(world, books),
        "cash_difference_micro_dollars": cash_difference_e6(world, books),
        "invariants_broken": len(world.exchange.invariants.broken),
        "open_after_teardown": world.open_orders(),
        "teardown_status": closing["status"],
        "seconds": round(seconds, 1),
    }


def _totals(seen: Observation) -> dict[str, int]:
    """A cycle that only said what is wrong has no counts: nothing was done."""
    return {name: sum(int(row.answer.get(name, 0)) for row in seen.cycles) for name in SUMMED}


def _traffic(world: World, cycles: int, seen: Observation) -> Summary:
    stats = world.exchange.stats
    calls, batches = sum(stats.calls.values()), stats.calls[CREATE_BATCH]
    totals = _totals(seen)
    asked = sum(totals[name] for name in ("placed", "failed", "unknown"))
    return {
        "mean_batch": round(asked / batches, 2) if batches else 0.0,
        "http_calls": calls,
        "http_calls_per_cycle": round(calls / cycles, 2),
        "cancel_404": stats.cancels_404,
        "rejected_429": sum(stats.too_many_requests.values()),
    }


def _decimal(value: Fraction) -> str:
    """An exact decimal: every figure here is a whole number of half a millionth."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{exact.normalize():f}" if exact else "0"
