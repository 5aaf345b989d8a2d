"""The tab with parallel coordinates: one line a candidate, brushed and hovered in the browser.

Plotly's parallel coordinates take seconds for ten thousand lines and neither hover nor select, so this is a canvas of
our own in a Components-v2 element, whose module ``parallel.js`` comes from the server's own route.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import state
from dashboard.assets import asset_url
from dashboard.components.marks import marks_of
from dashboard.components.run_table import axes_of
from dashboard.components.table_filters import keep_brush
from dashboard.figures.parallel import parallel_payload
from dashboard.texts import text
from dashboard.views.parallel import ParallelView, Scale, parallel_view, start_axes
from dashboard.views.table_filter import within
from dashboard.views.words import count
from dashboard.watching import Watched

if TYPE_CHECKING:
    from dashboard.views.axes import Axis
    from nas_core.search import Ranking

__all__ = ["BRUSHES", "parallel_tab"]

BRUSHES = "nasight_parallel"
"""Session key: the run and the fractions that are brushed, by axis."""
HEIGHT, FEWEST = 330, 2
SLACK = 1e-4
"""Share of an axis by which a line may miss a kept range: crossings are rounded. The same as in ``parallel.js``."""
WORDS = ("hint", "keys", "hover", "clear", "axis")

HTML = f"""
<div style="position:relative;width:100%;height:{HEIGHT}px">
  <canvas class="nasight-parallel" tabindex="0" role="application" style="width:100%;height:{HEIGHT}px"></canvas>
  <canvas class="nasight-over" style="position:absolute;inset:0;width:100%;height:{HEIGHT}px;pointer-events:none">
  </canvas>
</div>
<div class="nasight-named" role="status" style="font-size:.875rem;min-height:1.4em"></div>
"""

LOADER = """
let module
const base = new URL(document.baseURI).origin
export default function (component) {{
  module ??= import(base + "{parallel}").catch((error) => {{ module = undefined; throw error }})
  module.then((m) => m.render(component))
  return () => module.then((m) => m.unmount(component.parentElement))
}}
"""


def parallel_tab(watched: Watched, ranked: Ranking, selection: state.Selection, to_table: Callable[[], None]) -> None:
    """Draw the tab; ``to_table`` is called from a callback once the brushed ranges are in the table's filter."""
    if int(watched.snapshot.eligible.sum()) < FEWEST:
        st.caption(text("parallel.few"))
        return
    run_id, axes = watched.record.id, axes_of(watched, ranked)
    labels = {axis.name: axis.label for axis in axes}
    start = [name for name in start_axes(axes, watched.snapshot.search) if name in labels]
    kept: list[str] = st.session_state.get(f"parallel_axes_{run_id}") or start
    starred = [key for key, mark in marks_of(run_id).items() if mark.star]
    view = parallel_view(run_id, watched.snapshot, ranked, axes, [n for n in kept if n in labels], starred=starred,
                         selected=selection.candidate)  # fmt: skip
    _bar(run_id, axes, view, labels, start, to_table)
    _element(run_id, view, watched)


def _bar(
    run_id: str, axes: Sequence[Axis], view: ParallelView, labels: Mapping[str, str], start: list[str],
    to_table: Callable[[], None],
) -> None:  # fmt: skip
    """Draw what is brushed, the way to the table, and the choice of axes."""
    ranges = _ranges(run_id, view.scales)
    inside = int(within(axes, ranges, view.total).sum()) if ranges else view.total
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        key = "parallel.brushed" if ranges else "parallel.caption"
        st.caption(text(key, inside=count(inside), total=count(view.total), drawn=count(len(view.numbers))),
                   width="stretch")  # fmt: skip
        if ranges:
            st.button(text("parallel.to_table"), icon=":material/table_rows:", key="parallel_to_table",
                      on_click=_hand_over, args=(run_id, ranges, to_table))  # fmt: skip
        popover = st.popover(text("parallel.axes"), icon=":material/view_week:", key="parallel_popover",
                             on_change="rerun")  # fmt: skip
        if popover.open:
            with popover:
                st.multiselect(text("parallel.axes"), list(labels), start, key=f"parallel_axes_{run_id}",
                               format_func=lambda name: labels.get(name, name), persist_state="session")  # fmt: skip


def _hand_over(run_id: str, ranges: Sequence[tuple[str, float, float]], to_table: Callable[[], None]) -> None:
    keep_brush(run_id, ranges)
    to_table()


def _ranges(run_id: str, scales: Sequence[Scale]) -> list[tuple[str, float, float]]:
    """Return what is brushed as values: axis, lowest, highest."""
    kept = st.session_state.get(BRUSHES)
    brushed: Mapping[str, Any] = kept[1] if kept is not None and kept[0] == run_id else {}
    found = []
    for scale in scales:
        if scale.name in brushed:
            first, last = brushed[scale.name]
            low, high = scale.value(first - SLACK), scale.value(last + SLACK)
            found.append((scale.name, min(low, high), max(low, high)))
    return found


def _element(run_id: str, view: ParallelView, watched: Watched) -> None:
    key = f"parallel_{run_id}"

    def brushed() -> None:
        told = st.session_state[key].get("brushed")
        if isinstance(told, Mapping):
            st.session_state[BRUSHES] = (run_id, {str(name): _pair(pair) for name, pair in told.items()})

    def picked() -> None:
        number = st.session_state[key].get("picked")
        chosen = watched.id_of(int(number)) if isinstance(number, int | float) else None
        if chosen is not None:
            state.choose(state.Selection(run_id, chosen))

    mount = st.components.v2.component(
        "nasight_parallel", html=HTML, js=LOADER.format(parallel=asset_url("parallel.js")), isolate_styles=False
    )
    words = {name: text(f"parallel.{name}") for name in WORDS}
    mount(data=parallel_payload(view, words), key=key, on_brushed_change=brushed, on_picked_change=picked)


def _pair(pair: Any) -> tuple[float, float]:
    """Return two fractions in order, whatever a browser sent."""
    low, high = (min(1.0, max(0.0, float(end))) for end in pair)
    return min(low, high), max(low, high)
