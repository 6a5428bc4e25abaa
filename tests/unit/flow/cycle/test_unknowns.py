"""What is not known is said to be unknown, or not said: never a zero, an empty list, a false finding."""

from typing import Any

import pytest

from dora.core.accounts.ledger import Position
from dora.core.exchange.market import Book, Level
from dora.core.orders.journal import Journal
from dora.core.quoting.marks import marks
from dora.core.state import Cursors
from dora.core.units import Count, Money, Price
from dora.flow.cycle import cycle_facts
from dora.flow.cycle.cycle_facts import METRICS
from dora.flow.shared.accounting import Accounts
from tests.simulator.fault_plan import Fault
from tests.support.kalshi_fakes import FakeFacts
from tests.support.shard_left_out import ShardLeftOut
from tests.support.small_world import TICKERS, Scripted, Seen, small_world
from tests.support.teardown_stage import LISTS, stage

A, B, C = TICKERS


def findings(seen: Seen, read: str) -> str:
    seen.world.exchange.faults = Scripted({f"GET {read}": "answer"})
    answer = seen.world.start()
    assert answer["reason"] == "preflight"
    return "\n".join(answer["findings"])


@pytest.mark.parametrize("read, blocker, never", [
    ("/portfolio/balance", "balance: ", "$0"),
    ("/portfolio/balance", "balance: ", "fund it"),
    ("/exchange/status", "exchange status: ", "is not trading"),
    ("/markets", "markets: ", "does not know"),
])  # fmt: skip
def test_a_preflight_that_could_not_read_says_so_and_finds_nothing_there(
    read: str, blocker: str, never: str
) -> None:
    with small_world() as seen:
        found = findings(seen, read)

        assert blocker in found
        assert never not in found


def test_a_shard_that_the_balance_does_not_name_is_not_said_to_hold_nothing() -> None:
    with small_world() as seen:
        seen.world.exchange.faults = ShardLeftOut()
        found = "\n".join(seen.world.start()["findings"])

        assert "shard 2 is not in the exchange's balance, its quotes may need $" in found
        assert "holds $0" not in found


@pytest.mark.parametrize("read, unknown", [
    ("/portfolio/positions", {"drift"}), ("/portfolio/fills", {"drift", "fills"}),
])  # fmt: skip
def test_what_a_cycle_did_not_read_is_null_in_its_answer_and_not_in_its_line(
    read: str, unknown: set[str]
) -> None:
    with small_world() as seen:
        seen.world.start()
        seen.world.cycle()
        seen.world.exchange.faults = Scripted({f"GET {read}": "answer"})
        answer = seen.world.cycle()
        known, blind = seen.facts("CYCLE")

        assert answer["drift"] is None
        assert {name for name in ("drift", "fills") if name not in blind} == unknown
        assert (known["drift"], known["fills"]) == (0, 0)


@pytest.mark.parametrize("name, field", METRICS.items())
def test_what_is_not_known_makes_no_metric(name: str, field: str) -> None:
    facts = FakeFacts()
    record: dict[str, object] = dict.fromkeys(METRICS.values(), 1)
    cycle_facts.cycle(facts, {**record, field: None, "cycle_id": "c1"}, (), ())

    assert not facts.of(name)
    assert len([said for said, _ in facts.emitted if said in METRICS]) == len(METRICS) - 1


def test_positions_that_nobody_can_price_are_counted_beside_the_profit_that_takes_them_at_the_worst() -> None:
    held = {t: Position(ticker=t, shard=0, net=Count(100), cash=Money(-400_000)) for t in TICKERS}
    accounts = Accounts(positions=held, books={}, journal=Journal(), cursors=Cursors())
    books = {A: Book(A, (Level(Price(4_400), Count(100)),), ())}

    assert accounts.unmarked(marks(held.values(), books, {}, {})) == 2
    assert accounts.profit(marks(held.values(), books, {}, {})) == Money(-3 * 400_000 + 440_000)


def test_a_status_before_any_cycle_knows_neither_tokens_nor_what_is_left_out() -> None:
    with small_world() as seen:
        status = seen.world.status()

        assert status["tokens"].startswith("unknown: ")
        unknown = {"markets_not_quoted", "slots_not_quoted", "slots_cut", "markets_quoted"}
        unknown |= {"pnl_dollars", "positions_unmarked", "last_cycle_reason"}
        assert {status[name] for name in unknown} == {None}


def test_a_teardown_that_could_read_no_list_does_not_say_that_nothing_rests() -> None:
    with stage() as scene:
        scene.world.cycle()
        scene.faults.now(Fault(kind="lose-answer", where=LISTS))
        answer, _ = scene.torn_down()

        told = {name: answer[name] for name in ("resting", "resting_by_shard", "unproven")}
        assert (answer["status"], told) == ("closing", dict.fromkeys(told))


def test_a_session_whose_record_was_lost_has_no_limit_of_zero_and_no_figures_of_its_own() -> None:
    with stage() as scene:
        scene.world.cycle()
        scene.lose_state()
        answer, _ = scene.torn_down()
        status = scene.world.status()

        assert answer["status"] == "closed"
        unknown: dict[str, Any] = {
            name: answer["summary"][name] for name in ("duration_seconds", "contracts")
        }
        unknown |= {name: status[name] for name in ("contracts_limit", "contracts_matched", "contracts_free")}
        unknown |= {group["order_group_id"]: group["burst_limit"] for group in status["groups"]}
        assert set(unknown.values()) == {"unknown"}
