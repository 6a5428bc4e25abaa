"""Token costs of endpoints that differ from the default, as the exchange lists them."""

from .wire import PREFIX

DEFAULT_COST = 10
CREATE_COST = 10  # per order of a batch
CANCEL_COST = 2  # per order of a batch

COSTS = {
    ("DELETE", f"{PREFIX}/portfolio/events/orders"): CANCEL_COST,
    ("DELETE", f"{PREFIX}/portfolio/events/orders/batched"): CANCEL_COST,
    ("DELETE", f"{PREFIX}/portfolio/events/orders/:order_id"): CANCEL_COST,
    ("GET", f"{PREFIX}/portfolio/orders/:order_id"): 2,
}


def cost_of(method: str, pattern: str) -> int:
    """Cost of one call of a route."""
    return COSTS.get((method, PREFIX + pattern), DEFAULT_COST)
