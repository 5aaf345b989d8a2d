"""The panel beside the front: the chosen candidate in a few lines, with a link to its page."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from dashboard import state
from dashboard.texts import text
from dashboard.theme import palette
from dashboard.views.card import Card, MeasureBar
from dashboard.views.words import count, number

__all__ = ["bars_html", "candidate_panel"]

SHOWN_FEATURES, SHOWN_TOGETHER = 8, 4


def candidate_panel(card: Card, selection: state.Selection, *, picked: bool, on_back: Callable[[], None]) -> None:
    """Draw the panel; ``picked`` says that a person chose this candidate, else it is the best at λ."""
    with st.container(border=True, key="candidate_panel"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            kind = text("run.chosen_selected" if picked else "run.chosen_best")
            st.markdown(f"**#{card.number}** &nbsp; :gray[{kind}]", width="content")
            if picked:
                st.button(text("run.back_to_best"), type="tertiary", on_click=on_back, key="back_to_best")
        left, right = st.columns(2)
        left.metric(card.metric, number(card.performance), _half(card), delta_color="off", delta_arrow="off",
                    help=text("run.interval_help"))  # fmt: skip
        right.metric(text("run.interpretability"), number(card.interpretability))
        st.html(bars_html(card.bars, state.is_dark()))
        st.html(_facts_html(card, state.is_dark()))
        chosen = state.Selection(selection.run, card.id)
        state.page_link("candidate", text("run.open"), chosen, icon=":material/open_in_new:")


def _half(card: Card) -> str | None:
    if card.low is None or card.high is None:
        return None
    return f"± {number((card.high - card.low) / 2, 1)}"


def bars_html(bars: tuple[MeasureBar, ...], dark: bool) -> str:
    """Return the measures as horizontal bars with their score; an undefined one says why."""
    colours = palette(dark)
    rows = []
    for bar in bars:
        if bar.score is None:
            value = f'<span title="{escape(bar.reason)}">{escape(text("run.undefined"))}</span>'
            fill = ""
        else:
            value = f"{bar.score:.2f}"
            width = f"width:{100 * bar.score:.1f}%"
            fill = f'<div style="{width};height:100%;background:{colours.interpretability};border-radius:3px"></div>'
        rows.append(
            f'<div style="white-space:nowrap">{escape(bar.label)}</div>'
            f'<div style="background:{colours.grid};height:8px;border-radius:3px;overflow:hidden">{fill}</div>'
            f'<div style="text-align:right;font-variant-numeric:tabular-nums">{value}</div>'
        )
    return (
        '<div style="display:grid;grid-template-columns:max-content 1fr 3.2em;gap:5px 10px;align-items:center;'
        f'font-size:.9rem;color:{colours.ink}">{"".join(rows)}</div>'
    )


def _group_words(group: tuple[str, ...]) -> str:
    if len(group) <= SHOWN_TOGETHER:
        return " × ".join(group)
    return text("run.group_more", names=" × ".join(group[:2]), more=len(group) - 2)


def _facts_html(card: Card, dark: bool) -> str:
    """Return what the candidate is made of, as a list of terms."""
    colours = palette(dark)
    shown = ", ".join(card.features[:SHOWN_FEATURES]) + (" …" if len(card.features) > SHOWN_FEATURES else "")
    used = text("run.features", used=len(card.features), total=card.total)
    groups = "; ".join(_group_words(group) for group in card.interactions[:4]) or text("run.interactions_none")
    cost = text("run.cost_words", parameters=count(card.parameters), operations=count(card.operations))
    rows = [
        (text("run.uses"), f"{used}: {shown}"),
        (text("run.interact"), groups + (" …" if len(card.interactions) > 4 else "")),
        (text("run.built"), card.architecture),
        (text("run.cost"), cost),
    ]
    cells = "".join(
        f'<div style="color:{colours.muted}">{escape(term)}</div><div>{escape(words)}</div>' for term, words in rows
    )
    return (
        '<div style="display:grid;grid-template-columns:max-content 1fr;gap:4px 10px;font-size:.9rem;'
        f'line-height:1.35;color:{colours.ink}">{cells}</div>'
    )
