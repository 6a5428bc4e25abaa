"""What our own fills say of the loss of a contract that rests for a day."""

from dora.core.units import CONTRACT, Count, Money

FILLS_A_DAY_PERCENT = 64
"""Of a contract that rests for a day, by the one public record there is of a small maker who is paid so."""
PRIOR_CONTRACTS = 200
PRIOR_LOSS_E6 = 26_562
"""So many filled contracts with so large a loss each are taken for granted: together 1.7 cents a day."""


def loss_of_contract_day(marked: Count, gain: Money) -> Money:
    """Fills of a contract-day x loss of a filled contract; `gain` of the `marked` ones after half an hour.

    Never below zero: luck is no income.
    """
    contracts = marked // CONTRACT
    lost = PRIOR_CONTRACTS * PRIOR_LOSS_E6 - gain
    return Money(max(lost * FILLS_A_DAY_PERCENT // (100 * (PRIOR_CONTRACTS + contracts)), 0))
