"""What a shard's cash is good for, to the cent."""

import pytest

from dora.core.accounts.shard_cash import ShardCash
from tests.support.examples import dollars


@pytest.mark.parametrize(
    ("held", "reserved", "needed", "kept", "spendable", "short"),
    [
        ("100", "0", "40", "0", "100", "0"),
        ("100", "30", "40", "20", "50", "0"),
        ("100", "90", "120", "20", "0", "40"),
        ("0", "0", "0", "0", "0", "0"),
        ("10", "30", "30", "0", "0", "20"),
    ],
)
def test_spendable_is_what_nothing_holds_and_short_is_what_the_quotes_lack(
    held: str, reserved: str, needed: str, kept: str, spendable: str, short: str
) -> None:
    cash = ShardCash(
        shard=0,
        held=dollars(held),
        reserved=dollars(reserved),
        needed=dollars(needed),
        kept=dollars(kept),
    )
    assert (cash.spendable, cash.short) == (dollars(spendable), dollars(short))
