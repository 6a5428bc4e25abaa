"""What an archive object may weigh, and that the cycle that is measured is a busy one."""

from dora.edge.archive.packing import pack, unpack
from dora.flow.cycle.archive import cycle_record, decide_again
from tests.bench.archive import busy_cycle, public_minute

MARKETS = 50
MOST_BYTES_PER_MARKET = 900


def test_an_object_stays_small_and_holds_a_whole_cycle() -> None:
    body = pack(cycle_record(busy_cycle(MARKETS), dry_run=False))

    record = unpack(body)
    assert record.seen is not None
    assert len(record.seen.orders) == 2 * MARKETS
    assert len(record.decided.places) == len(record.decided.cancels) == 2 * MARKETS // 10
    assert decide_again(record.seen, record.asked) == record.decided
    assert len(body) < MOST_BYTES_PER_MARKET * MARKETS


def test_a_recorder_s_object_comes_back_with_what_is_public() -> None:
    finished = busy_cycle(MARKETS)
    public = public_minute(list(finished.basis.inputs.wanted))

    body = pack(cycle_record(finished, dry_run=True, public=public))

    assert unpack(body).public == public
    assert len(body) < MOST_BYTES_PER_MARKET * MARKETS
