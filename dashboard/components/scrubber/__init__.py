"""The time scrubber: the Run page as it was after some of its candidates; a slider with marks, and a play button.

The slider is a Components-v2 element whose module ``scrubber.js`` comes from the server's own route. It keeps the time
of the replay in the browser: it asks for the next step once the page has drawn the last one, so that a slow page is
replayed slower instead of falling behind, and nothing waits for it on the server.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from dashboard import state
from dashboard.assets import asset_url
from dashboard.texts import text
from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.scrub import ScrubView, event_marks, scrub_view, seconds_after
from dashboard.watching import Watched

if TYPE_CHECKING:
    from nas_core.search import Ranking

__all__ = ["SCRUB", "is_past", "scrubbed", "scrubber"]

SCRUB = "nasight_scrub"
"""Session key: the run and how many of its candidates this tab shows; missing while it shows them all."""
WORDS = ("slider", "play", "pause", "back", "forward", "live")
FEWEST = 3
"""Candidates a run needs before there is anything to replay."""

HTML = '<div style="min-height:64px"><div class="nasight-scrubber" role="group"></div></div>'

LOADER = """
let module
const base = new URL(document.baseURI).origin
export default function (component) {{
  module ??= import(base + "{scrubber}").catch((error) => {{ module = undefined; throw error }})
  module.then((m) => m.render(component))
  return () => module.then((m) => m.unmount(component.parentElement))
}}
"""


def is_past(watched: Watched) -> bool:
    """Return whether this tab looks at the run as it was."""
    kept = st.session_state.get(SCRUB)
    return kept is not None and kept[0] == watched.record.id and kept[1] < len(watched.archive)


def scrubbed(watched: Watched, selection: state.Selection) -> tuple[Watched, state.Selection]:
    """Return the run as this tab wants to see it, and the candidate in view if there was one of that name by then."""
    if not is_past(watched):
        return watched, selection
    count = min(max(1, st.session_state[SCRUB][1]), len(watched.snapshot))
    snapshot = watched.snapshot.first(count)
    then = replace(watched, snapshot=snapshot, space=watched.view.space_after(count))
    known = selection.candidate is not None and snapshot.position(selection.candidate) is not None
    return then, selection if known else replace(selection, candidate=None)


def scrubber(watched: Watched, ranked: Ranking) -> None:
    """Draw the slider and what the page shows; ``watched`` may be the run as it was."""
    past = is_past(watched)
    total = len(watched.archive) if past else len(watched.snapshot)
    if total < FEWEST:
        return
    view = _view(watched, ranked, total, past=past)
    mount = st.components.v2.component(
        "nasight_scrubber", html=HTML, js=LOADER.format(scrubber=asset_url("scrubber.js")), isolate_styles=False
    )
    run = watched.record.id
    key = f"scrubber_{run}"

    def moved() -> None:
        at = st.session_state[key].get("moved")
        if isinstance(at, int | float):
            _show(run, int(at), total)

    mount(data=_data(view), key=key, on_moved_change=moved)


def _show(run: str, at: int, total: int) -> None:
    """Let this tab show the first ``at`` candidates, or all there are and will be."""
    if at >= total or at < 0:
        st.session_state.pop(SCRUB, None)
    else:
        st.session_state[SCRUB] = (run, max(1, at))


def _view(watched: Watched, ranked: Ranking, total: int, *, past: bool) -> ScrubView:
    from nas_core.search import STRATEGIES

    labels = {name: strategy.label for name, strategy in STRATEGIES.items()}
    marks = event_marks(watched.view.events, watched.snapshot.objective, labels, total)
    volume = seconds = None
    if past:  # otherwise nobody asks for it: the curve of ten thousand takes seconds the first time
        volume = float(watched.archive.hypervolume_curve()[len(watched.snapshot) - 1])
        seconds = seconds_after(watched.snapshot, watched.record.created)
    return scrub_view(watched.record.id, total, watched.snapshot, ranked, past=past, hypervolume=volume,
                      seconds=seconds, marks=marks)  # fmt: skip


def _data(view: ScrubView) -> dict[str, Any]:
    return {
        **asdict(view),
        "words": {name: text(f"scrub.{name}") for name in WORDS},
        "colours": {"light": _colours(LIGHT), "dark": _colours(DARK)},
    }


def _colours(colours: Palette) -> dict[str, str]:
    wanted = ("background", "panel", "ink", "muted", "grid", "accent", "chosen")
    kinds = {
        "weight": colours.interpretability, "strategy": colours.categories[2], "space": colours.categories[3],
        "pause": colours.muted, "rule": colours.muted, "person": colours.categories[4], "failure": colours.chosen,
        "many": colours.ink,
    }  # fmt: skip
    return {name: getattr(colours, name) for name in wanted} | kinds
