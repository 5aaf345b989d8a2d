"""What people typed (names of columns and classes, notes, tags, names of runs and files) in languages that read signs.

One function for each language that would take a part of a text for a command: Markdown, and cells of spreadsheets.
HTML is :func:`html.escape`; the languages of graphs are in :mod:`nas_core.spaces.graph_text`.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["FORMULA", "markdown_text", "safe_cell"]

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings with which a spreadsheet takes a text for a formula."""
# a dot between digits and a dash inside a line mean nothing; one at the start of a line may begin a list
_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$:@]|(?<!\d)\.|\.(?!\d)|^[+\-=]|(?<=^\d)[.)](?=\s|$))")


def markdown_text(text: str) -> str:
    """Return ``text`` so that Markdown shows it as it is, on one line: no markup, link, table border or HTML.

    That holds for the dialect of Streamlit too, which reads colours, icons and formulas besides.
    """
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", line)


def safe_cell(value: Any) -> Any:
    """Return a value for a cell of a CSV file: text that a spreadsheet would run as a formula gets an apostrophe.

    Source: OWASP, CSV injection. Numbers stay numbers, negative ones too.
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
