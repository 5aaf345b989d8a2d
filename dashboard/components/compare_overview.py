"""The table of the Compare page: a row per question, a column per candidate; differences first, sameness folded."""

from __future__ import annotations

from html import escape

import streamlit as st

from dashboard import state
from dashboard.components.compare_basket import toggle
from dashboard.texts import text
from dashboard.theme import Palette, palette
from dashboard.views.compare_table import Cell, Compared, CompareTable, TableRow, letter

__all__ = ["FIRST", "heads", "overview", "table_html"]

FIRST = 0.9
"""Width of the column of labels, as a multiple of that of a candidate."""


def heads(run_id: str, compared: list[Compared]) -> None:
    """Draw what heads the columns: the mark of each candidate, the way to its page, and a way to take it out."""
    colours = palette(state.is_dark())
    columns = st.columns([FIRST, *[1.0] * len(compared)], vertical_alignment="center", gap="small")
    for position, (column, one) in enumerate(zip(columns[1:], compared)):
        found = one.evaluation
        with column, st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(mark_html(position, colours), width="content")
            state.page_link("candidate", text("compare.open", number=found.index), state.Selection(run_id, found.id))
            st.button(text("compare.take_out", letter=letter(position)), key=f"compare_out_{position}",
                      on_click=toggle, args=(run_id, found.id), type="tertiary")  # fmt: skip


def mark_html(position: int, colours: Palette) -> str:
    """Return the letter of a column on its colour."""
    colour = colours.categories[position]
    return (
        f'<span style="display:inline-block;min-width:1.5em;text-align:center;border-radius:4px;font-weight:700;'
        f'border:2px solid {colour};color:{colours.ink}">{letter(position)}</span>'
    )


def overview(table: CompareTable) -> None:
    """Draw the rows in which the candidates differ, and the others in an expander."""
    colours = palette(state.is_dark())
    if table.different:
        st.html(table_html(table.different, colours))
    else:
        st.info(text("compare.no_difference"), icon=":material/equal:")
    if not table.same:
        return
    folded = st.expander(text("compare.same", count=len(table.same)), key="compare_same", on_change="rerun")
    if folded.open:
        with folded:
            st.html(table_html(table.same, colours))


def table_html(rows: tuple[TableRow, ...], colours: Palette) -> str:
    """Return rows as an HTML table with a heading for every question."""
    count = len(rows[0].cells)
    share = 100 / (FIRST + count)
    head = "".join(f'<th scope="col" style="width:{share:.2f}%;text-align:left">{letter(k)}</th>' for k in range(count))
    body, question = [], ""
    for row in rows:
        if row.question != question:
            question = row.question
            title = escape(text(f"compare.question_{question}"))
            body.append(
                f'<tr><th colspan="{count + 1}" scope="colgroup" style="text-align:left;padding:10px 8px 3px 0;'
                f'color:{colours.accent};font-weight:600">{title}</th></tr>'
            )
        cells = "".join(_cell_html(cell, not row.same, colours) for cell in row.cells)
        about = f' title="{escape(row.help)}"' if row.help else ""
        body.append(
            f'<tr style="border-top:1px solid {colours.grid}"><th scope="row"{about} style="text-align:left;'
            f'font-weight:400;color:{colours.muted};padding:4px 8px 4px 0;vertical-align:top">{escape(row.label)}</th>'
            f"{cells}</tr>"
        )
    return (
        f'<table style="width:100%;table-layout:fixed;border-collapse:collapse;font-size:.9rem;color:{colours.ink};'
        f'font-variant-numeric:tabular-nums"><thead style="color:{colours.muted}"><tr>'
        f'<th scope="col" style="width:{share * FIRST:.2f}%;text-align:left">{escape(text("compare.question"))}</th>'
        f"{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _cell_html(cell: Cell, differs: bool, colours: Palette) -> str:
    style = "padding:4px 10px 4px 0;vertical-align:top;overflow-wrap:anywhere;"
    style += f"color:{colours.muted};font-style:italic;" if cell.missing else "font-weight:600;" if differs else ""
    best = f' <span title="{escape(text("compare.best"))}" aria-label="{escape(text("compare.best"))}">★</span>'
    bar = ""
    if cell.share is not None:
        hue = colours.accuracy if cell.hue == "accuracy" else colours.interpretability
        bar = (
            f'<div style="background:{colours.grid};height:5px;border-radius:3px;margin-top:2px">'
            f'<div style="width:{100 * cell.share:.1f}%;height:5px;border-radius:3px;background:{hue}"></div></div>'
        )
    return f'<td style="{style}">{escape(cell.words)}{best if cell.best else ""}{bar}</td>'
