"""How the What-if tab writes what is predicted, and names that come from a data file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dashboard.texts import text

if TYPE_CHECKING:
    from dashboard.theme import Palette
    from dashboard.views.what_if import Outcome

__all__ = ["outcomes_html"]

NUMBERS = "text-align:right;font-variant-numeric:tabular-nums"


def outcomes_html(found: tuple[Outcome, ...], colours: Palette) -> str:
    """Return what is predicted now and was before, with bars for probabilities; the line on a bar is where it was."""
    muted = f"color:{colours.muted}"
    rows = []
    for o in found:
        weight = "600" if o.now else "400"
        was = f' <span style="{muted}">{escape(text("what_if.was"))}</span>' if o.was and not o.now else ""
        rows.append(
            f'<div style="font-weight:{weight};overflow:hidden;text-overflow:ellipsis;white-space:nowrap" '
            f'title="{escape(o.name)}">{escape(o.name)}{was}</div><div>{_bar(o, colours)}</div>'
            f'<div style="{NUMBERS}"><span style="{muted}">{escape(o.before)} →</span> <b>{escape(o.after)}</b></div>'
            f'<div style="{NUMBERS};{muted}">{escape(o.change)}</div>'
        )
    columns = "minmax(60px,max-content) 1fr max-content max-content"
    return (
        f'<div role="status" style="display:grid;grid-template-columns:{columns};gap:5px 10px;align-items:center;'
        f'font-size:.95rem;color:{colours.ink}">{"".join(rows)}</div>'
    )


def _bar(outcome: Outcome, colours: Palette) -> str:
    if outcome.after_share is None or outcome.before_share is None:
        return ""
    mark = f"left:calc({100 * outcome.before_share:.1f}% - 1px);width:2px;height:16px;background:{colours.ink}"
    return (
        f'<div style="position:relative;height:10px;background:{colours.grid};border-radius:3px">'
        f'<div style="width:{100 * outcome.after_share:.1f}%;height:100%;background:{colours.accuracy};'
        f'border-radius:3px"></div><div style="position:absolute;top:-3px;{mark}"></div></div>'
    )
