"""What a computation that raised is told as: data, because the core writes no log."""

LONGEST = 200


def told(error: Exception) -> str:
    """`ValueError: odd value`, cut to a length that fits any line."""
    return f"{type(error).__name__}: {error}"[:LONGEST]
