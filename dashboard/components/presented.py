"""What the presentation asks the network that is put forward: what moves its predictions, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.explained import explanation, problem_of
from dashboard.components.run_controls import WEIGHT
from dashboard.components.trust_badges import checked_view
from dashboard.figures.attributions import importance_figure
from dashboard.figures.signal_attributions import mean_figure
from dashboard.texts import text
from dashboard.theme import PLOT_STILL, palette
from dashboard.views.attributions import attribution_view, importance
from dashboard.views.signal_attributions import mean_view, of_predicted
from dashboard.views.words import count

if TYPE_CHECKING:
    from dashboard.components.explained import Explained
    from dashboard.views.card import Card
    from dashboard.watching import Watched

__all__ = ["present_link", "reasons", "trusted"]

PATIENCE = 3.0  # seconds that sampled values are given to settle
SHOWN = 8
LETTERS = 17


def reasons(run_id: str, candidate_id: str) -> None:
    """Draw what moves the predictions of a network most, over validation rows.

    Raises:
        ExplanationError: The network has no stored weights.
    """
    found = _settled(run_id, candidate_id)
    colours, dataset = palette(state.is_dark()), found.candidate.problem.dataset
    if dataset.signal is None:
        st.markdown(text("story.reasons_words", rows=len(found.rows)))
        shown = importance(attribution_view(found.attribution, 0, found.rows, dataset), SHOWN)
        figure, words = importance_figure(shown, colours), ", ".join(shown.names)
    else:
        st.markdown(text("story.reasons_cells", rows=len(found.rows)))
        figure = mean_figure(mean_view(of_predicted(found.attribution), 0, dataset), colours)
        words = text("story.reasons")
    figure.update_layout(font={"size": LETTERS}, height=440)
    figure.update_xaxes(tickfont={"size": LETTERS - 2}, title_font={"size": LETTERS})
    figure.update_yaxes(tickfont={"size": LETTERS}, title_font={"size": LETTERS})
    st.plotly_chart(figure, theme=None, config=PLOT_STILL, key="story_reasons", alt=words)


def trusted(watched: Watched, card: Card) -> list[str]:
    """Return what is known of how far the network and its explanation may be trusted, a sentence each."""
    run_id, fractions = watched.record.id, watched.record.problem.get("fractions") or (0, 0, 0)
    told = [text("story.trust_valid", rows=count(len(problem_of(run_id).valid)))]
    if fractions[-1] > 0 and not any(event.kind == "test_opened" for event in watched.view.events):
        told.append(text("story.trust_test"))
    if watched.view.evaluation(card.id).weights is not None:
        found = _settled(run_id, card.id)
        view, _ = checked_view(run_id, card.id, found.attribution.method, False, found)
        asked = [row for row in view.rows if row.state in ("passed", "failed")]
        passed = sum(row.state == "passed" for row in asked)
        if view.state == "failed":
            told.append(text("story.trust_failed", number=card.number, why=" ".join(view.why)))
        elif asked:
            told.append(text("story.trust_checks", passed=passed, all=len(asked)))
    return told


def _settled(run_id: str, candidate_id: str) -> Explained:
    """Return the explanation of a candidate once its values have settled, or after :data:`PATIENCE` seconds."""
    shown = explanation(run_id, candidate_id)
    shown.advance(PATIENCE)
    return shown.latest


def present_link(watched: Watched, candidate: str | None) -> None:
    """Draw the link to the presentation of a run."""
    query = state.Selection(watched.record.id, candidate).query()
    if WEIGHT in st.query_params:
        query[WEIGHT] = st.query_params[WEIGHT]
    st.page_link("pages/present.py", label=text("story.open"), icon=":material/slideshow:", query_params=query,
                 help=text("story.open_help"))  # fmt: skip
