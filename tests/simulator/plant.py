"""Planted faults: ways for the exchange to cheat, so that a checker can be seen to fail.

double-order   an accepted create also rests a twin outside any group
skip-fill      a fill never shows in a list of fills
drop-answer    an order was created and the connection closes without an answer
vanish-order   a resting order leaves the book in silence but stays listed; its cancel answers 404
drain-tokens   the write buckets are emptied, so that the next write is a 429
"""

MODES = ("double-order", "skip-fill", "drop-answer", "vanish-order", "drain-tokens")
DEFAULT_EVERY = 10


class Plant:
    """Counts chances for each planted mode and strikes at every `every`-th."""

    def __init__(self, *modes: str, every: int = DEFAULT_EVERY) -> None:
        unknown = sorted(set(modes) - set(MODES))
        if unknown:
            raise ValueError(f"no such planted fault: {', '.join(unknown)}; there are {', '.join(MODES)}")
        self.every = every
        self.chances = dict.fromkeys(modes, 0)
        self.struck = dict.fromkeys(modes, 0)

    def strikes(self, mode: str) -> bool:
        """Is this chance one to take?"""
        if mode not in self.chances:
            return False
        self.chances[mode] += 1
        if self.chances[mode] % self.every:
            return False
        self.struck[mode] += 1
        return True
