"""Where a drawing starts: a landmark of the space, a random sample, or a candidate of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from dashboard import process, state
from dashboard.components.prepared import DEFAULT, data_key, edit_space, problem, space_of_draft
from dashboard.texts import text
from dashboard.views.drawing import Drawing, Step, starts
from dashboard.views.space_history import History, frame_of
from nas_core.errors import NasightError
from nas_core.escaping import markdown_text
from nas_core.records import derive_seed

if TYPE_CHECKING:
    from nas_core.records import Architecture, Evaluation, RunRecord
    from nas_core.spaces import SearchSpace

__all__ = ["Beginning", "beginning", "candidate_asked_for"]

ASKED = "draw"
"""Query parameter: ``?run=…&cand=…&draw=candidate`` starts a drawing from that candidate."""
SAMPLE, CANDIDATE = "sample", "candidate"
_DRAWN = "draw_sample"


@dataclass(frozen=True)
class Beginning:
    """An architecture that a drawing can start from, and what it is."""

    words: str
    architecture: Architecture
    parent: str = ""

    def drawing(self, family: str) -> Drawing:
        """Return the drawing that starts here."""
        return Drawing(family, (self.step,), 0, self.parent)

    @property
    def step(self) -> Step:
        """The first step of that drawing."""
        return Step(text("draw.step_start", what=self.words), self.architecture.values)


def beginning(draft: state.Draft, space: SearchSpace) -> Beginning:
    """Draw the choice of a beginning; before anything was changed, what is chosen is in view at once."""
    known = _landmarks(data_key(draft), space.id, space)
    candidate = _candidate(space)
    options: list[int | str] = [*range(len(known)), SAMPLE, *([CANDIDATE] if candidate is not None else [])]

    def label(option: int | str) -> str:
        if option == CANDIDATE and candidate is not None:
            return candidate.words
        return text("draw.a_sample") if option == SAMPLE else known[int(option)][0]

    columns = st.columns([0.68, 0.32], vertical_alignment="bottom")
    chosen = columns[0].selectbox(text("draw.start"), options, len(known) // 2, format_func=label, key="draw_from")
    if chosen == SAMPLE:
        count = st.session_state.get(_DRAWN, 0)
        found = Beginning(text("draw.sample_number", number=count + 1),
                          space.sample(np.random.default_rng(derive_seed("drawing", count))))  # fmt: skip
    elif chosen == CANDIDATE and candidate is not None:
        found = candidate
    else:
        found = Beginning(*known[int(chosen)])
    with columns[1]:
        if draft.drawing is not None:
            st.button(text("draw.begin"), on_click=_begin, args=(space.family, found), key="draw_begin",
                      width="stretch", help=text("draw.begin_help"))  # fmt: skip
        elif chosen == SAMPLE:
            st.button(text("draw.another"), on_click=_another, key="draw_another", width="stretch")
    return found


def _begin(family: str, found: Beginning) -> None:
    draft = state.draft()
    if draft.drawing is not None and draft.drawing.family == family:
        drawing = replace(draft.drawing.added(found.step), parent=found.parent)
    else:
        drawing = found.drawing(family)
    state.save_draft(replace(draft, source=draft.source or DEFAULT, drawing=drawing))
    _another()


def _another() -> None:
    st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1


@st.cache_resource(max_entries=16, show_spinner=False)
def _landmarks(data: str, space_id: str, _space: SearchSpace) -> tuple[tuple[str, Architecture], ...]:
    with st.spinner(text("draw.looking"), show_time=False):
        return starts(_space, problem(state.Draft.from_json(data)).hints)


def _candidate(space: SearchSpace) -> Beginning | None:
    """Return the candidate that the URL names, if it belongs to ``space``."""
    selection = state.load()
    if selection.run is None or selection.candidate is None:
        return None
    try:
        record, found = _stored(selection)
    except NasightError:
        return None
    if space.validate_architecture(found.architecture):
        return None
    return _from(record, found)


def _stored(selection: state.Selection) -> tuple[RunRecord, Evaluation]:
    store = process.store()
    assert selection.run is not None
    assert selection.candidate is not None
    return store.run(selection.run), store.evaluation(selection.run, selection.candidate)


def _from(record: RunRecord, found: Evaluation) -> Beginning:
    return Beginning(text("draw.candidate", number=found.index, run=record.name), found.architecture, found.id)


def candidate_asked_for() -> bool:
    """Start the drawing that the URL asks for, once; return whether it asked for one.

    Where the space of the draft does not hold that candidate, the data and the space of its run come into use.

    Raises:
        StoreError: There is no such run or candidate.
    """
    if st.query_params.get(ASKED) != CANDIDATE:
        return False
    st.query_params.pop(ASKED)
    selection = state.load()
    if selection.run is None or selection.candidate is None:
        return True
    record, found = _stored(selection)
    draft = _draft_for(record, found)
    begun = _from(record, found)
    before = draft.drawing
    family = found.architecture.family
    drawing = begun.drawing(family)
    if before is not None and before.family == family:
        drawing = replace(before.added(begun.step), parent=begun.parent)
    state.save_draft(replace(draft, drawing=drawing))
    return True


def _draft_for(record: RunRecord, found: Evaluation) -> state.Draft:
    """Return a draft whose space holds the candidate: the present one, or one of the run's data and space."""
    from nas_core.data import ProblemSpec
    from nas_core.spaces import SearchSpace

    spec, theirs = ProblemSpec.model_validate(record.problem), SearchSpace.model_validate(record.space)
    draft = state.draft()
    same_data = (draft.source or DEFAULT).location == spec.source.location
    if same_data:
        ours = space_of_draft(draft)
        if not ours.validate_architecture(found.architecture):
            return draft
        if frame_of(ours) == frame_of(theirs):
            state.tell_fact(text("draw.space_of_run", run=markdown_text(record.name)))
            return edit_space(draft, theirs.family, draft.preset, theirs)
    taken = {f.name: getattr(spec, f.name) for f in fields(state.Draft) if hasattr(spec, f.name)}
    state.tell_fact(text("draw.data_of_run", run=markdown_text(record.name)))
    return replace(state.Draft(**taken), family=theirs.family, preset=draft.preset, space=theirs, history=History())
