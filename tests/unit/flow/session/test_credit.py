"""A credit that a person saw is booked once, with the cash that it explains, and only for a known market."""

from typing import Any

from tests.support.small_world import TICKERS, Seen, broken, small_world

A = TICKERS[0]


def credit(seen: Seen, **changes: Any) -> dict[str, Any]:
    seen.world.clock.advance_ms(1_000)
    given = {"program": "p", "market": A, "amount_dollars": "25", **changes}
    return dict(seen.world.session("session_credit", **given))


def test_a_credit_is_booked_once_and_explains_what_was_found() -> None:
    with small_world() as seen:
        world = seen.world
        world.start()
        world.cycle()
        account = world.member.accounts[0]
        account.move(0, 25_000_000)
        account.stamp_cash(0, world.clock.now_ms())
        for _ in range(3):
            world.cycle()
        assert world.status()["cash"]["unexplained_dollars"] == "25.000000"

        first, again = credit(seen), credit(seen)
        for _ in range(3):
            world.cycle()

        assert (first["status"], first["cash_unexplained_dollars"]) == ("credited", "0.000000")
        assert again["status"] == "credited before"
        assert world.status()["cash"]["unexplained_dollars"] == "0.000000"
        assert [fact["amount_dollars"] for fact in seen.facts("REWARD_CREDITED")] == ["25.000000"]
        assert not broken(world)


def test_of_a_market_that_nobody_knows_nothing_is_booked() -> None:
    with small_world() as seen:
        seen.world.start()
        answer = credit(seen, market="KXNOBODY-1")

        assert (answer["status"], "KXNOBODY-1" in answer["reason"]) == ("refused", True)
        assert not seen.facts("REWARD_CREDITED")
        assert seen.world.cycle()["status"] == "completed"
