"""Bounds of what a person asks of a program: beyond them it ends with one line, before anything starts."""

import argparse
from collections.abc import Callable
from pathlib import Path


def up_to(most: int) -> Callable[[str], int]:
    """A whole number from 1 on."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {most}")
        return int(text)

    return read


def hours_up_to(most: int) -> Callable[[str], float]:
    """Hours, a minute at least."""

    def read(text: str) -> float:
        try:
            hours = float(text)
        except ValueError:
            hours = 0
        if not 1 / 60 <= hours <= most:
            raise argparse.ArgumentTypeError(
                f"{text!r} is no number of hours up to {most}, a minute at least"
            )
        return hours

    return read


def file(text: str) -> Path:
    """One that is there."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"no such file: {path}")
    return path
