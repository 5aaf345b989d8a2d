"""What a drawn architecture is expected to reach before anybody trains it, by what the run in view has found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.components.evidence import evidence_of
from dashboard.components.prepared import DEFAULT
from dashboard.components.run_controls import preference_in_force
from dashboard.texts import spoken, text
from dashboard.views.expected import expected_rows, expected_words
from dashboard.watching import run_weight, watch
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from dashboard.watching import Watched
    from nas_core.comparison.expected import Expectation
    from nas_core.preferences import Preference
    from nas_core.records import Architecture
    from nas_core.spaces import SearchSpace

__all__ = ["expected_scores"]


def expected_scores(draft: state.Draft, space: SearchSpace, architecture: Architecture) -> None:
    """Draw the predictions with their intervals, or say what they would need."""
    watched = _evidence_run(draft, space)
    if watched is None:
        st.caption(text("expected.no_run"))
        return
    known = watched.snapshot.position(architecture.id)
    if known is not None:
        st.caption(text("expected.measured", number=int(watched.snapshot.index[known])))
        return
    weight = run_weight(watched.record)
    wish = preference_in_force(weight, watched.snapshot.names)
    with st.spinner(text("expected.working"), show_time=False):
        found = _expectation(
            watched.record.id, len(watched.snapshot), architecture.id, wish.model_dump_json(), space.id,
            watched.snapshot.names, watched.snapshot.objective.maximise, space, architecture, wish,
        )  # fmt: skip
    if found.performance is None:
        st.caption(text("expected.too_few", count=found.learned_from))
        return
    st.markdown(f"**{text('expected.title')}**", help=text("expected.help", run=markdown_text(watched.record.name)))
    rows = expected_rows(found, spoken(watched.snapshot.objective.label))
    for column, (label, value, about) in zip(st.columns(len(rows)), rows):
        column.metric(label, value, help=about)
    st.caption(markdown_text(expected_words(found, watched.record.name)))


def _evidence_run(draft: state.Draft, space: SearchSpace) -> Watched | None:
    """Return the run in view where it is about the same data and family, else None."""
    run_id = state.load().run
    if run_id is None:
        return None
    watched = watch(run_id)
    same = watched.record.problem["source"]["location"] == (draft.source or DEFAULT).location
    frame = (watched.space.family, watched.space.features, watched.space.outputs)
    return watched if same and frame == (space.family, space.features, space.outputs) else None


@st.cache_resource(max_entries=64, show_spinner=False)
def _expectation(
    run_id: str, known: int, architecture_id: str, wish: str, space_id: str, names: tuple[str, ...], maximise: bool,
    _space: SearchSpace, _architecture: Architecture, _preference: Preference,
) -> Expectation:  # fmt: skip
    from nas_core.comparison.expected import expected

    evidence = evidence_of(run_id, _space, names)
    return expected(_space, [_architecture], evidence, _preference, maximise=maximise)[0]
