"""The risk limits of the GLOBAL item. The caps hold on the worst case; `core/risk/caps.py` applies them."""

from dataclasses import dataclass

from dora.core.config_fields import Checked, contracts, dollars, percent, price, whole_number
from dora.core.units import Count, Money, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskLimits(Checked):
    """What may be lost, held and sent. `max_position` is each market's own."""

    max_event_loss: Money = dollars("0", "1000000", "200")
    """Worst loss of one event if every live and unresolved order fills. Change it with what you are ready to
    lose in one event."""
    max_risk_group_loss: Money = dollars("0", "10000000", "500")
    """Worst loss of all events together whose markets have the same `risk_group`. Change it with what a day
    may cost on which all events of a group go wrong."""
    max_burst_loss: Money = dollars("0", "10000000", "500")
    """What may be lost within 15 s if every event's group trips at once, where `group_by` is `event`: events
    beyond it are not quoted. Change it with the number of events you quote."""
    max_total_loss: Money = dollars("0", "10000000", "2000")
    """Worst loss of all events together if every live and unresolved order fills. Change it with the money in
    the account: it bounds the worst day there can be."""
    max_daily_loss: Money = dollars("0.01", "1000000", "100")
    """Loss since the exchange's midnight, realised and marked, fees in, at which the bot halts itself. Change
    it with what you are ready to lose before you want to be asked."""
    max_loss_since: Money = dollars("0.01", "10000000", "1000")
    """Loss since `loss_since`, on the same terms, at which the bot halts itself. Change it with what you are
    ready to lose in all before you look at the strategy again."""
    loss_since: str = ""
    """A day of the exchange, YYYY-MM-DD, at whose start `max_loss_since_dollars` begins to count; without one
    it counts from the highest profit there ever was. Change it to a day, such as that on which you changed
    what is quoted."""
    reduce_at: int = percent("1", "100", "80")
    """Part of a limit of loss from which on no new risk is taken, until a `resume`."""
    equity_floor: Money = dollars("0", "100000000", "0")
    """Cash of all shards and open positions at their marks: two cycles in a row below it halt the bot; 0 for
    none. Cash that is on its way between shards counts as gone. Change it to what must never be traded
    with."""
    max_error_rate: int = percent("1", "100", "50")
    """More than this part of the orders sent refused or unanswered, and nothing is placed for a while."""
    error_rate_writes: int = whole_number("1", "100000", "20")
    """Orders sent within ten minutes from which on that part is judged."""
    error_cooldown_s: int = whole_number("60", "86400", "300")
    """For so long nothing is placed then."""
    exclusive: bool = False
    """Whether nobody else may use the account: an order or fill that is not ours halts the bot. Change it to
    true where nobody trades by hand on the account."""
    max_open_orders: int = whole_number("0", "200000", "2000")
    """Orders that may rest at once, and those of unknown fate with them. Change it with the number of
    markets: two a market and level."""
    max_orders_per_cycle: int = whole_number("1", "200000", "10000")
    """New orders that one cycle may send; the most valuable ones are sent first."""
    max_order_size: Count = contracts("0.01", "100000", "5000")
    """Contracts of one order, whatever a market's `quote_size` says."""
    max_order_cost: Money = dollars("0.01", "1000000", "1000")
    """What one order may cost, its fee apart: a bid its price, an ask the rest to $1, times its contracts."""
    price_collar: Price = price("0.0001", "1", "0.2")
    """No bid is placed further than this above fair value, no ask further below it."""
    trade_collar: Price = price("0.0001", "1", "0.4")
    """The same against the last trade of the market, where there was one; it may be long ago."""
    reduce_only: bool = False
    """Whether only orders are placed that bring a position nearer to zero and raise no worst case. Change it
    to true to run a book down."""
    cash_reserve: Money = dollars("0", "10000000", "1")
    """Cash of each shard that quotes never touch. Change it to what other uses of the account need."""
