"""Step by step: the way from one candidate to another in single edits, what each brings, and training a stop of it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.compare_work import difference, expectations, steps_of
from dashboard.components.pool import pool_of
from dashboard.figures.compare import path_figure
from dashboard.texts import text
from dashboard.theme import PLOT, Palette, palette
from dashboard.views.card import measure_label
from dashboard.views.compare_path import PathStop, PathView, path_view
from dashboard.views.compare_table import Compared, letter
from dashboard.watching import watch
from nas_core.errors import NasightError

if TYPE_CHECKING:
    from dashboard.watching import Watched
    from nas_core.preferences import Preference
    from nas_core.search import Ranking

__all__ = ["steps_tab"]

REFRESH = 1.0  # seconds between two looks for a stop that was handed to the run
WAITING = "compare_waiting"
"""Session key: the run and the architecture that was handed to it."""


def steps_tab(
    watched: Watched, ranked: Ranking, compared: Sequence[Compared], pair: tuple[int, int], wish: Preference
) -> None:
    """Draw the way between the pair.

    Raises:
        SpaceError: There is no valid way.
    """
    run_id = watched.record.id
    first, second = (compared[i].evaluation for i in pair)
    if first.id == second.id or not difference(run_id, first.id, second.id).edits:
        st.info(text("compare.edits_none", a=letter(pair[0]), b=letter(pair[1])), icon=":material/equal:")
        return
    with st.spinner(text("compare.working_steps"), show_time=True):
        view = _view(watched, ranked, (first.id, second.id), wish)
    told = {"a": letter(pair[0]), "b": letter(pair[1]), "steps": len(view.stops) - 1, "measured": view.measured,
            "predicted": view.predicted}  # fmt: skip
    st.markdown(text("compare.path", **told))
    if view.predicted:
        skill = text("compare.skill", skill=f"{view.skill:.2f}") if view.skill is not None else ""
        key = "compare.predictions" if view.learned_from >= 8 else "compare.predictions_few"
        st.caption(f"{text(key, count=view.learned_from)} {skill}")
    if view.drawable:
        st.plotly_chart(path_figure(view, palette(state.is_dark())), theme=None, config=PLOT, key="compare_path",
                        alt=text("compare.path", **told))  # fmt: skip
    _train(watched, view)
    st.html(_table_html(view, palette(state.is_dark()), (letter(pair[0]), letter(pair[1]))))


def _view(watched: Watched, ranked: Ranking, pair: tuple[str, str], wish: Preference) -> PathView:
    from nas_core.comparison.expected import exact_measures

    run_id, names = watched.record.id, watched.snapshot.names
    known = {e.id: e for e in pool_of(run_id).evaluations()}
    steps = steps_of(run_id, *pair, len(known))
    space = difference(run_id, *pair).space
    told = expectations(run_id, *pair, len(known), names, wish, wish.model_dump_json())
    whole: dict[str, float | None] = {}
    for key in [pair[0], *(s.architecture.id for s in steps)]:
        at = watched.snapshot.position(key)
        value = float("nan") if at is None else float(ranked.interpretability[at])
        whole[key] = None if value != value else value
    architectures = [known[pair[0]].architecture, *(s.architecture for s in steps)]
    exact = dict(zip((a.id for a in architectures), exact_measures(space, architectures, names)))
    labels = {name: measure_label(name) for name in names}
    return path_view(known[pair[0]], steps, space, known, told, whole, watched.snapshot.objective.label, exact, labels)


def _train(watched: Watched, view: PathView) -> None:
    """Offer to train a stop that was not evaluated, next in the run where this process runs it."""
    waiting = [stop for stop in view.stops if stop.number is None]
    run_id, asked = st.session_state.get(WAITING, (None, ""))
    if run_id == watched.record.id and asked in {stop.id for stop in waiting} and watched.own:
        st.fragment(_arriving, run_every=REFRESH)(run_id, asked)
    if not waiting:
        return
    if not watched.own:
        st.caption(text("access.badge_watching_help" if watched.here else "compare.train_ended"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            text("compare.train_which"), waiting, key="compare_train_stop", width=420,
            format_func=_stop_words,
        )  # fmt: skip
        if chosen is not None:
            st.button(text("compare.train"), icon=":material/model_training:", key="compare_train",
                      on_click=_propose, args=(watched.record.id, view, chosen))  # fmt: skip


def _stop_words(stop: PathStop) -> str:
    return text("compare.train_stop", number=stop.position, words="; ".join(e.signed for e in stop.edits))


def _arriving(run_id: str, asked: str) -> None:
    """Say that a stop is on its way, and draw the page anew once it is there."""
    state.load()
    now = watch(run_id)
    if now.snapshot.position(asked) is not None or not now.own:
        st.session_state.pop(WAITING, None)
        st.rerun()
    st.caption(text("compare.on_its_way"))


def _propose(run_id: str, view: PathView, stop: PathStop) -> None:
    """Hand a stop of the way to the run; a refusal is shown at the next draw."""
    ends = (view.stops[0].id, view.stops[-1].id)
    architecture = next(s.architecture for s in steps_of(run_id, *ends, len(pool_of(run_id).evaluations()))
                        if s.architecture.id == stop.id)  # fmt: skip
    try:
        run = process.steered(run_id)
        if run is not None:
            before = next(s for s in view.stops if s.position == stop.position - 1)
            run.propose(architecture, parents=[before.id] if before.number is not None else (), operator="compared")
            st.session_state[WAITING] = (run_id, stop.id)
            state.tell_fact(text("compare.proposed"))
    except NasightError as error:
        state.tell(str(error))


def _table_html(view: PathView, colours: Palette, ends: tuple[str, str]) -> str:
    """Return the stops as an HTML table: the edit, what it leads to, and the differences to the stop before."""
    names = ("step", "edit", "performance", "interpretability", "exact")
    titles = {n: text(f"compare.column_{n}") for n in names} | {"performance": view.metric}
    head = "".join(
        f'<th scope="col" style="text-align:left;padding-right:12px">{escape(titles[n])}</th>' for n in names
    )
    rows = "".join(_row_html(stop, colours, ends, len(view.stops)) for stop in view.stops)
    return (
        f'<div style="overflow-x:auto"><table style="width:100%;border-collapse:collapse;font-size:.88rem;'
        f'color:{colours.ink};font-variant-numeric:tabular-nums"><thead style="color:{colours.muted}"><tr>{head}</tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _row_html(stop: PathStop, colours: Palette, ends: tuple[str, str], count: int) -> str:
    end = ends[0] if stop.position == 0 else ends[1] if stop.position == count - 1 else ""
    place = f"{stop.position} {end}".strip() + (f" · #{stop.number}" if stop.number is not None else "")
    words = "<br>".join(escape(e.signed) for e in stop.edits) or escape(text("compare.start"))
    notes = []
    if stop.joined:
        reason = text("compare.joined_because", reason=stop.refused.rstrip(".")) if stop.refused else ""
        notes.append(f"⛓ {text('compare.joined', count=len(stop.edits))} {reason}")
    if stop.idle:
        notes.append(text("compare.idle", words="; ".join(e.words for e in stop.idle)))
    words += "".join(f'<div style="color:{colours.muted}">{escape(note)}</div>' for note in notes)
    cells = [escape(place), words]
    for point, change in zip((stop.performance, stop.interpretability), stop.changes):
        shown = f"{'●' if point.measured else '○'} {escape(point.words)}"
        cells.append(shown + (f'<div style="color:{colours.muted}">Δ {escape(change)}</div>' if change else ""))
    cells.append(f'<span style="color:{colours.muted}">{escape(" · ".join(stop.exact))}</span>')
    return f'<tr style="border-top:1px solid {colours.grid}">' + "".join(
        f'<td style="vertical-align:top;padding:4px 12px 4px 0">{cell}</td>' for cell in cells
    ) + "</tr>"  # fmt: skip
