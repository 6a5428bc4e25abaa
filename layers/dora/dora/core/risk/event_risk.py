"""Worst loss of one event over its markets, in running sums of 1e-6 $."""


class EventRisk:
    """Never below zero: a sure win here pays for no risk elsewhere.

    Exclusive: at most one of its markets resolves yes, perhaps one we do not hold, so it loses what all lose
    on no, plus the most that one resolving yes would add. Otherwise each market takes its own worse outcome.
    """

    __slots__ = ("_exclusive", "_losses", "_most_added", "_sum", "loss")

    def __init__(self, *, exclusive: bool) -> None:
        self._exclusive = exclusive
        self._losses: dict[str, tuple[int, int]] = {}
        self._sum = 0
        """Exclusive: of all losses on no. Otherwise of each market's worse outcome."""
        self._most_added = 0
        """Exclusive: the most that one market loses on yes beyond what it loses on no; at least nothing."""
        self.loss = 0

    def add(self, ticker: str, yes: int, no: int) -> None:
        """One more market of the event, with its losses by outcome."""
        self._losses[ticker] = yes, no
        if not self._exclusive:
            self._sum += yes if yes > no else no
        else:
            self._sum += no
            self._most_added = max(self._most_added, yes - no)
        self.loss = max(self._sum + self._most_added, 0)

    def loss_with(self, ticker: str, yes: int, no: int) -> int:
        """The event's loss if one of its markets had these losses instead."""
        was_yes, was_no = self._losses[ticker]
        if not self._exclusive:
            return max(self._sum - max(was_yes, was_no) + max(yes, no), 0)
        return max(self._sum - was_no + no + self._most_with(ticker, was_yes - was_no, yes - no), 0)

    def update(self, ticker: str, yes: int, no: int) -> None:
        """These are the losses of one of its markets from now on."""
        was_yes, was_no = self._losses[ticker]
        if not self._exclusive:
            self._sum += max(yes, no) - max(was_yes, was_no)
        else:
            self._sum += no - was_no
            self._most_added = self._most_with(ticker, was_yes - was_no, yes - no)
        self._losses[ticker] = yes, no
        self.loss = max(self._sum + self._most_added, 0)

    def _most_with(self, ticker: str, before: int, after: int) -> int:
        """The most added by one market after a change of one; all are looked at only if the most falls."""
        if after >= self._most_added:
            return after
        if before < self._most_added:
            return self._most_added
        return max([0, after, *(yes - no for name, (yes, no) in self._losses.items() if name != ticker)])
