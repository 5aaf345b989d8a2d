"""Words in charts: Plotly reads every label, tick and hover text as a subset of HTML (links, bold, line breaks).

So whatever people typed goes through :func:`plain`, or :func:`label` where there is little room.
"""

from __future__ import annotations

from html import escape

from dashboard.views.lettering import shorten

__all__ = ["label", "lines", "plain"]


def plain(words: str) -> str:
    """Return words of which every sign is shown as it is; Plotly knows no entity for quotes, so these stay."""
    return escape(words, quote=False)


def lines(words: str) -> str:
    """Return words of which only the breaks of lines that a view put in (``<br>``) are markup."""
    return plain(words).replace("&lt;br&gt;", "<br>")


def label(words: str, letters: int) -> str:
    """Return words of at most so many letters of which every sign is shown as it is."""
    return plain(shorten(words, letters))
