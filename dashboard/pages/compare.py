"""The Compare page: how two to four candidates of one run differ, and whether it matters."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.compare_basket import MOST, collected, put, remember
from dashboard.components.compare_better import better_tab
from dashboard.components.compare_built import built_tab
from dashboard.components.compare_looks import looks_tab
from dashboard.components.compare_overview import heads, overview
from dashboard.components.compare_rows import rows_tab
from dashboard.components.compare_steps import steps_tab
from dashboard.components.run_controls import preference_in_force
from dashboard.texts import text
from dashboard.views.compare_table import Compared, compare_table, letter
from dashboard.views.words import number
from dashboard.watching import ranking, run_weight, watch

if TYPE_CHECKING:
    from dashboard.watching import Watched
    from nas_core.comparison.chosen import Pick
    from nas_core.preferences import Preference
    from nas_core.search import Ranking

TABS = ("glance", "better", "built", "steps", "looks", "rows")
OFFERED = 200  # candidates that are listed in the picker; any other one is found by its number
SUGGESTED = "nasight_compare_suggested"  # session key: which were suggested and why, while nobody has changed them


def render() -> None:
    """Draw the page."""
    selection = state.load()
    with state.shown_errors():
        run_id = selection.run or next((r.id for r in process.store().runs()), None)
        st.header(text("compare.title"))
        if run_id is None:
            st.info(text("compare.no_run"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"))
            return
        watched = watch(run_id)
        if selection.run is None:
            state.save(state.Selection(run_id))
        wish = _preference(watched)
        ranked = ranking(watched, wish)
        if len(watched.snapshot) < 2:
            st.info(text("compare.too_few_candidates", count=len(watched.snapshot)), icon=":material/info:")
            return
        _suggest(watched, ranked)
        _picker(watched, ranked)
        remember(run_id)
        compared = _compared(watched, ranked)
        if len(compared) < 2:
            st.info(text("compare.choose"), icon=":material/info:")
            return
        _comparison(watched, ranked, compared, wish)


def _preference(watched: Watched) -> Preference:
    """Return λ and weights of this tab, those of the run where it has none."""
    start = run_weight(watched.record)
    weight = st.session_state.get(f"nasight_weight_{watched.record.id}", start)
    return preference_in_force(float(weight), watched.snapshot.names)


def _suggest(watched: Watched, ranked: Ranking) -> None:
    """Collect candidates that are worth comparing where nobody has collected any, and say why these."""
    from nas_core.comparison.chosen import suggested

    run_id, ids = watched.record.id, watched.snapshot.ids
    if not collected(run_id) and not st.session_state.get(f"{SUGGESTED}_{run_id}_cleared"):
        picks = suggested(ranked)
        if len(picks) > 1:
            put(run_id, tuple(ids[p.position] for p in picks))
            st.session_state[SUGGESTED] = (run_id, collected(run_id), _why(watched, picks))
    run, chosen, why = st.session_state.get(SUGGESTED, (None, (), ""))
    if run == run_id and chosen == collected(run_id):
        st.caption(why)


def _why(watched: Watched, picks: tuple[Pick, ...]) -> str:
    """Return why these candidates are suggested, in words."""
    told = []
    for pick in picks:
        key = {"number": watched.snapshot.index[pick.position],
               "weights": " / ".join(f"{w:.1f}" for w in pick.weights)}  # fmt: skip
        told.append(text(f"compare.pick_{pick.reason}", **key))
    return text("compare.suggested", picks="; ".join(told))


def _picker(watched: Watched, ranked: Ranking) -> None:
    """Draw the choice of candidates: by number, the best ones listed."""
    snapshot, run_id = watched.snapshot, watched.record.id
    chosen = [str(snapshot.index[at]) for key in collected(run_id) if (at := snapshot.position(key)) is not None]
    best = [str(snapshot.index[at]) for at in ranked.order[:OFFERED]]
    st.session_state["compare_pick"] = chosen
    st.multiselect(
        text("compare.pick"), list(dict.fromkeys([*chosen, *best])), key="compare_pick", max_selections=MOST,
        accept_new_options=True, filter_mode="prefix", select_all=False,
        format_func=lambda n: _option(watched, ranked, n), on_change=_picked, args=(run_id,),
        help=text("compare.pick_help", most=MOST), placeholder=text("compare.pick_placeholder"),
    )  # fmt: skip


def _option(watched: Watched, ranked: Ranking, number_: str) -> str:
    """Return a candidate of the list in words."""
    key = watched.id_of(int(number_)) if number_.isdigit() else None
    at = None if key is None else watched.snapshot.position(key)
    if at is None:
        return number_
    told = {"number": number_, "metric": watched.snapshot.objective.label,
            "performance": number(float(watched.snapshot.performance[at])),
            "interpretability": number(float(ranked.interpretability[at]))}  # fmt: skip
    return text("compare.option", **told)


def _picked(run_id: str) -> None:
    """Collect what the picker says; a number that no candidate has is named at the next draw."""
    watched = watch(run_id)
    ids = []
    for given in st.session_state["compare_pick"]:
        plain = str(given).strip().lstrip("#")
        found = watched.id_of(int(plain)) if plain.isdecimal() else None
        if found is None:
            state.tell(text("compare.unknown_number", given=given, count=len(watched.snapshot)))
        else:
            ids.append(found)
    st.session_state[f"{SUGGESTED}_{run_id}_cleared"] = True
    put(run_id, tuple(ids))


def _compared(watched: Watched, ranked: Ranking) -> list[Compared]:
    """Return the collected candidates that the run has, and say which it does not have."""
    found = []
    for key in collected(watched.record.id):
        evaluation, at = watched.evaluation(key), watched.snapshot.position(key)
        if evaluation is None or at is None:
            st.warning(text("compare.unknown_candidate", candidate=key))
            continue
        value = float(ranked.interpretability[at])
        found.append(Compared(evaluation, watched.view.space_of(evaluation), None if value != value else value))
    return found


def _comparison(watched: Watched, ranked: Ranking, compared: list[Compared], wish: Preference) -> None:
    run_id = watched.record.id
    heads(run_id, compared)
    glance, better, built, steps, looks, rows = st.tabs(
        [text(f"compare.tab_{name}") for name in TABS], key="compare_tab", on_change="rerun"
    )
    if glance.open:
        with glance, state.shown_errors():
            overview(compare_table(compared, watched.snapshot.objective))
    if better.open:
        with better, state.shown_errors():
            better_tab(run_id, compared, watched.snapshot.objective)
    if built.open:
        with built, state.shown_errors():
            built_tab(run_id, compared, _pair(len(compared)))
    if steps.open:
        with steps, state.shown_errors():
            steps_tab(watched, ranked, compared, _pair(len(compared)), wish)
    if looks.open:
        with looks, state.shown_errors():
            looks_tab(run_id, compared)
    if rows.open:
        with rows, state.shown_errors():
            rows_tab(run_id, compared, _pair(len(compared)))


def _pair(count: int) -> tuple[int, int]:
    """Return which two candidates a tab about two is about; with more than two a person chooses, once for all tabs."""
    pairs = {f"{letter(i)} → {letter(k)}": (i, k) for i, k in combinations(range(count), 2)}
    first = next(iter(pairs))
    if len(pairs) == 1:
        return pairs[first]
    chosen = st.segmented_control(
        text("compare.pair"), list(pairs), default=first, required=True, key=f"compare_pair_{count}",
        persist_state="session", help=text("compare.pair_help"),
    )  # fmt: skip
    return pairs.get(str(chosen), pairs[first])


if __name__ == "__main__":
    render()
