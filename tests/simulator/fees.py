"""Trade fees: quadratic in the price, rounded up to 1e-6 $."""

from .units import DOLLAR_E4

TAKER_RATE_E4 = 700  # 0.07

# A maker's share of the taker rate, in 1e-4.
MAKER_SHARE_E4 = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 2_500,
    "quadratic_with_combo_maker_fees": 5_000,
}


def trade_fee_e6(*, fee_type: str, multiplier_e4: int, price_e4: int, count_e2: int, is_taker: bool) -> int:
    """Fee of one fill: 0.07 x multiplier x contracts x P x (1 - P), times the maker's share for a maker."""
    share_e4 = DOLLAR_E4 if is_taker else MAKER_SHARE_E4[fee_type]
    scaled = TAKER_RATE_E4 * multiplier_e4 * share_e4 * count_e2 * price_e4 * (DOLLAR_E4 - price_e4)
    return -(-scaled // DOLLAR_E4**4)


def rounding_fee_e6(balance_change_e6: int, step_e6: int) -> int:
    """What flooring the balance change to `step_e6` takes away."""
    return balance_change_e6 % step_e6
