"""What do they look at: the same rows explained for every candidate, how far they agree, importances side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations

import streamlit as st

from dashboard import state
from dashboard.components.compare_work import Together, together
from dashboard.figures.compare import compared_importance_figure
from dashboard.texts import text
from dashboard.theme import PLOT, palette
from dashboard.views.compare_rows import ImportanceLine, side_by_side
from dashboard.views.compare_table import Compared, letter
from dashboard.views.words import interval, percent
from nas_core.comparison.agreement import Agreement, attribution_agreement

__all__ = ["agreement_of", "looks_tab", "when_explained"]

REFRESH = 0.5  # seconds between two looks at how far the explanations are
SOON = 0.4  # seconds that are waited before progress is shown


def when_explained(run_id: str, compared: Sequence[Compared], draw: Callable[[Together], None]) -> None:
    """Explain the candidates in the background, with progress, and draw once they are."""
    found = together(run_id, tuple(c.evaluation.id for c in compared))
    found.wait(SOON)
    if found.state == "running":
        st.fragment(_progress, run_every=REFRESH)(found)
        return
    if found.state == "failed":
        st.error(found.message)
        return
    for position, one in enumerate(compared):
        if reason := found.missing.get(one.evaluation.id):
            st.warning(text("compare.not_explained", a=letter(position), reason=reason), icon=":material/link_off:")
    if len(found.attributions) < 2:
        st.info(text("compare.too_few_explained"), icon=":material/info:")
        return
    draw(found)


def _progress(found: Together) -> None:
    state.load()
    st.progress(found.share, text("compare.explaining"))
    if found.state != "running":
        st.rerun()


@st.cache_resource(max_entries=64, show_spinner=False)
def agreement_of(_found: Together, first: str, second: str, run_id: str, ids: tuple[str, ...]) -> Agreement:
    """Return how far two explained candidates agree."""
    return attribution_agreement(_found.attributions[first], _found.attributions[second])


def looks_tab(run_id: str, compared: Sequence[Compared]) -> None:
    """Draw the tab."""
    when_explained(run_id, compared, lambda found: _looks(run_id, compared, found))


def _looks(run_id: str, compared: Sequence[Compared], found: Together) -> None:
    ids = tuple(c.evaluation.id for c in compared)
    shown = [k for k, key in enumerate(ids) if key in found.attributions]
    left, right = st.columns([0.42, 0.58], gap="large")
    with left:
        st.markdown(f"**{text('compare.agreement_title')}**")
        for i, k in combinations(shown, 2):
            agreement = agreement_of(found, ids[i], ids[k], run_id, ids)
            with st.container(border=True):
                st.markdown(text("compare.agreement", a=letter(i), b=letter(k), score=_estimate(agreement)))
                order, top = percent(agreement.order_score.value), percent(agreement.top_score.value)
                st.caption(
                    text(
                        "compare.agreement_more",
                        order=order,
                        top=top,
                        chance=f"{agreement.chance:.2f}".replace("-", "−"),
                    )
                )
        st.caption(text("compare.agreement_help"))
        st.caption(_how(found))
    with right:
        lines, hidden = side_by_side([found.attributions[ids[k]] for k in shown])
        st.markdown(f"**{text('compare.importance_title')}**")
        if not lines:
            st.info(text("candidate.no_influence"))
            return
        names = [f"{letter(k)} · #{compared[k].evaluation.index}" for k in shown]
        st.plotly_chart(compared_importance_figure(lines, names, palette(state.is_dark())), theme=None, config=PLOT,
                        key="compare_importance", alt=text("compare.importance_title"))  # fmt: skip
        if hidden:
            st.caption(text("candidate.hidden", count=hidden))
        table = st.expander(text("compare.as_table"), key="compare_importance_table", on_change="rerun")
        if table.open:
            with table:
                st.dataframe(_table(lines, names), hide_index=True, width="stretch")


def _table(lines: Sequence[ImportanceLine], names: Sequence[str]) -> dict[str, list[str]]:
    columns = {text("compare.column_feature"): [line.name for line in lines]}
    for k, name in enumerate(names):
        columns[name] = [f"{percent(line.shares[k])} ({line.ranks[k] or '–'})" for line in lines]
    return columns


def _estimate(agreement: Agreement) -> str:
    score = agreement.score
    return interval(score.value, score.low, score.high, 2).replace("-", "−")


def _how(found: Together) -> str:
    """Return how the attributions were made."""
    from nas_core.explanations import EXPLAINERS

    methods = dict.fromkeys(EXPLAINERS[a.method].label for a in found.attributions.values())
    return text(
        "compare.how_explained", methods=", ".join(methods), rows=len(found.rows), background=len(found.background)
    )
