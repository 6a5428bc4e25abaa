"""The reservation price of a maker who holds to settlement.

A CARA maker with q contracts of a claim that pays $1 with probability f is indifferent, at the margin, at
r(q) = S(logit f - gamma q): exact, without volatility, intensity or horizon, jumps included, never outside
(0, 1). Its first order is the Avellaneda-Stoikov shift gamma q f (1 - f), since the variance left until
settlement is f (1 - f) whatever the path.
"""

from math import exp, log

from dora.core.units import ONE_DOLLAR, Count, Price


def logit(probability: float) -> float:
    """ln(p / (1 - p)) of a probability strictly between 0 and 1."""
    return log(probability / (1.0 - probability))


def sigmoid(x: float) -> float:
    """The inverse of logit; written so that neither tail overflows."""
    if x >= 0:
        return 1.0 / (1.0 + exp(-x))
    return exp(x) / (1.0 + exp(x))


def skew(net: Count, max_position: Count, skew_at_max: Price) -> float:
    """gamma x q in logits: gamma = 4 s / q_max shifts by about s dollars at q_max where fair value is 0.5."""
    return 4.0 * (skew_at_max / ONE_DOLLAR) * (net / max_position)


def reservation_price(fair: float, skew_logits: float) -> float:
    """Dollars at which a maker with this skew neither wants to buy nor to sell."""
    return sigmoid(logit(fair) - skew_logits)
