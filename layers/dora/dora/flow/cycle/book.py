"""Step 5 of a cycle: what happened to our money, into the books, and the books beside the exchange's cash."""

from typing import NamedTuple

from dora.core.ports import Ports
from dora.flow.cycle.cash import CashLook, look_at_cash
from dora.flow.cycle.cycle_context import CycleContext
from dora.flow.cycle.observe import Observed
from dora.flow.shared.accounting import Accounts, keep_accounts
from dora.flow.shared.universe import strategies_of


class Booked(NamedTuple):
    """The books after this cycle's fills and payouts, and what of the cash they do not explain."""

    accounts: Accounts
    cash: CashLook


def book(ports: Ports, context: CycleContext, observed: Observed) -> tuple[Observed, Booked]:
    """Fills, payouts and positions as read. Orders from then on are those whose fills are booked.

    Safe to repeat: each fill and payout is booked once, by its id.
    """
    loaded, snapshot, reconciled = observed
    strategies = strategies_of(loaded.wanted)
    accounts = keep_accounts(
        ports, context.grant.fence, loaded.state, reconciled.journal, snapshot, strategies
    )
    reconciled = reconciled._replace(journal=accounts.journal)
    cash = look_at_cash(ports.facts, loaded, snapshot, accounts, reconciled.counting())
    return observed._replace(reconciled=reconciled), Booked(accounts, cash)
