"""How wide a text is and how to shorten it, for boxes that have to hold it, without asking a browser."""

from __future__ import annotations

import unicodedata

__all__ = ["LETTER_HEIGHT", "fitted", "shorten", "text_width"]

LETTER_HEIGHT = 11.0
"""Size of the letters in a box at full scale, points."""

# Advance widths in units of the letter height, rounded up over the sans-serif fonts that browsers put in the place of
# one another (Inter, Source Sans, Segoe UI, Helvetica, DejaVu Sans), so that a box holds its text in any of them.
NARROW, SLIM, COMMON, CAPITAL, WIDE, FULL = 0.33, 0.46, 0.66, 0.75, 1.02, 1.1
_CLASSES = {
    **dict.fromkeys(" .,:;'|!ijlI()[]/\\", NARROW),
    **dict.fromkeys('ftr-"`{}*°', SLIM),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ&", CAPITAL),
    **dict.fromkeys("mwMW@%…—→←↔×+=<>~#±", WIDE),
}


def text_width(text: str, height: float = LETTER_HEIGHT) -> float:
    """Return about how wide ``text`` is in letters ``height`` points high: an upper bound for common fonts."""
    return height * sum(_width(letter) for letter in text)


def _width(letter: str) -> float:
    known = _CLASSES.get(letter)
    if known is not None:
        return known
    if letter.isascii():
        return COMMON
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return FULL
    return CAPITAL if letter.isalpha() and not letter.isupper() else WIDE


def shorten(text: str, longest: int) -> str:
    """Return ``text`` with its middle replaced by … when it is longer than ``longest`` letters."""
    if len(text) <= longest:
        return text
    tail = longest // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def fitted(text: str, width: float, height: float = LETTER_HEIGHT) -> str:
    """Return ``text`` on one line, shortened in its middle until it is at most ``width`` points wide."""
    line = " ".join(text.split())
    line = "".join(letter for letter in line if letter.isprintable())
    longest = len(line)
    while longest > 4 and text_width(shorten(line, longest), height) > width:
        longest -= 1
    return shorten(line, longest)
