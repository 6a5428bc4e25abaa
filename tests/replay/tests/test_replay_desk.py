"""Our side at the exchange: expiry, cancels that come too late, decreases, what a fill costs."""

from typing import Any

import pytest

from dora.core.exchange.fees import FREE, FeeTerms
from dora.core.exchange.market import Side, Slot
from dora.core.orders.requests import ApprovedOrder, DecreaseRequest, ExtendRequest, TargetOrder
from dora.core.orders.slot_plan import cancel_request
from dora.core.units import Count, Price, TimeMs
from tests.replay.desk import Desk
from tests.replay.fill_models import OPTIMISTIC, PESSIMISTIC, FillModel
from tests.replay.tape import Track
from tests.replay.tapes import TICKER, at, quote, track_of

STANDING = quote(0, (40, 50), (50, 50))
NEVER = TimeMs(at(10**7))


def target(side: Side, cents: float, contracts: float = 10) -> ApprovedOrder:
    slot, price, count = Slot(TICKER, side), Price(round(cents * 100)), Count(round(contracts * 100))
    return ApprovedOrder(TargetOrder(slot=slot, price=price, count=count))


def desk_with(
    track: Track, order: ApprovedOrder, model: FillModel = PESSIMISTIC, expires_ms: TimeMs = NEVER
) -> Desk:
    desk = Desk(model)
    assert desk.place(order, track, at(1), expires_ms)
    return desk


def live(desk: Desk, track: Track, until: float, fees: FeeTerms = FREE) -> None:
    desk.live_through(track, fees, at(1), at(until))


def only(desk: Desk) -> Any:
    (order,) = desk.tracked.values()
    return order


def test_an_order_that_would_cross_is_refused() -> None:
    track = track_of([STANDING])
    assert not Desk(PESSIMISTIC).place(target(Side.BID, 50), track, at(1), NEVER)
    assert not Desk(PESSIMISTIC).place(target(Side.ASK, 40), track, at(1), NEVER)
    assert Desk(PESSIMISTIC).place(target(Side.BID, 49), track, at(1), NEVER)


def test_a_fill_is_booked_in_position_journal_and_list() -> None:
    track = track_of([STANDING, quote(60, (40, 46), (50, 50))])
    desk = desk_with(track, target(Side.BID, 40), OPTIMISTIC)
    live(desk, track, 60)
    assert [(f.at_ms, f.price, f.count, f.net) for f in desk.fills] == [(at(60), 4_000, 400, 400)]
    assert (desk.positions[TICKER].net, desk.positions[TICKER].cash, desk.nets[TICKER]) == (
        400,
        -1_600_000,
        400,
    )
    order = only(desk)
    assert (order.count, order.remaining, order.booked, order.unbooked) == (1_000, 600, 400, 0)


def test_a_filled_order_rests_no_more() -> None:
    track = track_of([STANDING, quote(60, None, (40, 1))])
    desk = desk_with(track, target(Side.BID, 40))
    live(desk, track, 60)
    assert not desk.tracked
    assert not desk.rests(TICKER)


def test_an_order_expires_before_a_later_fill() -> None:
    track = track_of([STANDING, quote(60, None, (40, 1))])
    desk = desk_with(track, target(Side.BID, 40), expires_ms=TimeMs(at(59)))
    live(desk, track, 60)
    assert not desk.fills
    assert not desk.rests(TICKER)


def test_an_order_expires_although_nothing_happens() -> None:
    track = track_of([STANDING])
    desk = desk_with(track, target(Side.BID, 40), expires_ms=TimeMs(at(59)))
    live(desk, track, 58)
    assert desk.rests(TICKER)
    live(desk, track, 60)
    assert not desk.rests(TICKER)


def test_a_cancel_that_finds_less_than_was_seen_surprises() -> None:
    track = track_of([STANDING, quote(60, (40, 46), (50, 50)), quote(61, None, (40, 1))])
    desk = desk_with(track, target(Side.BID, 40), OPTIMISTIC)
    seen = cancel_request(only(desk))
    assert desk.cancel([seen]) == set()
    desk = desk_with(track, target(Side.BID, 40), OPTIMISTIC)
    live(desk, track, 60)
    assert desk.cancel([seen]) == {TICKER}
    desk = desk_with(track, target(Side.BID, 40), OPTIMISTIC)
    live(desk, track, 61)
    assert desk.cancel([seen]) == {TICKER}


def test_a_decrease_keeps_the_queue_place_and_never_adds() -> None:
    track = track_of([STANDING])
    desk = desk_with(track, target(Side.BID, 40))
    order = only(desk)
    for to, left in ((600, 600), (800, 600)):
        request = DecreaseRequest(
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            ticker=TICKER,
            shard=0,
            reduce_to=Count(to),
        )
        desk.decrease([request])
        assert (only(desk).remaining, only(desk).reduced) == (left, 400)
    assert desk.resting(TICKER) == [(Side.BID, 4_000, 600)]


def test_an_extension_lets_it_rest_longer() -> None:
    track = track_of([STANDING])
    desk = desk_with(track, target(Side.BID, 40), expires_ms=TimeMs(at(60)))
    order = only(desk)
    request = ExtendRequest(
        order_id=order.order_id,
        client_order_id=order.client_order_id,
        ticker=TICKER,
        shard=0,
        side=Side.BID,
        price=order.price,
        count=order.count,
        remaining=order.remaining,
        expires_s=at(120) // 1000,
    )
    desk.extend([request])
    live(desk, track, 100)
    assert desk.rests(TICKER)


def test_a_withdrawal_takes_everything_off() -> None:
    desk = desk_with(track_of([STANDING]), target(Side.BID, 40))
    desk.withdraw()
    assert not desk.tracked


@pytest.mark.parametrize(
    ("rate_e8", "cents", "falls", "fees_e6"),
    [
        (0, 40, [10], [0]),
        (1_750_000, 50, [10], [50_000]),
        (0, 12.3, [1, 1, 1], [7_000, 7_000, 7_000]),
        # A contract's fee of 0.4375 c is rounded to a whole cent; every other one pays a cent back.
        (1_750_000, 50, [1, 1, 1], [10_000, 0, 10_000]),
    ],
    ids=["free", "a maker's fee with its rounding", "rounding alone", "whole cents that came together"],
)
def test_what_a_fill_costs(rate_e8: int, cents: float, falls: list[int], fees_e6: list[int]) -> None:
    sizes = [100]
    for fall in falls:
        sizes.append(sizes[-1] - fall)
    quotes = [quote(60 * n, (cents, size), (50.1, 50)) for n, size in enumerate(sizes)]
    track = track_of(quotes)
    desk = desk_with(track, target(Side.BID, cents), OPTIMISTIC)
    live(desk, track, 600, FeeTerms(7_000_000, rate_e8))
    assert [filled.fee for filled in desk.fills] == fees_e6
