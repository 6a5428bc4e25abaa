"""Texts that people paste: names, tickers and ids hold visible ASCII characters and nothing else.

A word processor turns hyphens into dashes, a web page adds zero-width spaces, a terminal breaks lines. Such a
text looks right, fits no header and names nothing, so the message says which character it is and where.
"""

import unicodedata

FIX = "type it again, or paste it as plain text"
_VISIBLE = range(0x21, 0x7F)
_CONTROLS = {"\0": "NULL", "\t": "TAB", "\n": "LINE BREAK", "\r": "CARRIAGE RETURN"}
_MINUS = "\N{MINUS SIGN}"


def foreign_character(text: str) -> str:
    """The first character that is not visible ASCII: `U+200B ZERO WIDTH SPACE at position 5`; "" if none is.

    Positions count from 1. White space at the ends is for the caller to trim.
    """
    for position, character in enumerate(text, 1):
        if ord(character) not in _VISIBLE:
            return f"{name_of(character)} at position {position}"
    return ""


def name_of(character: str) -> str:
    """Its number and its Unicode name, for characters that print as nothing or as another."""
    name = _CONTROLS.get(character) or unicodedata.name(character, "UNNAMED CHARACTER")
    return f"U+{ord(character):04X} {name}"


def as_meant(text: str) -> str:
    """The visible ASCII text that somebody most likely meant: dashes as hyphens, the rest left out."""
    plain = ("-" if _is_dash(character) else character for character in text)
    return "".join(character for character in plain if ord(character) in _VISIBLE)


def _is_dash(character: str) -> bool:
    return unicodedata.category(character) == "Pd" or character == _MINUS
