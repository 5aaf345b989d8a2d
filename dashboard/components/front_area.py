"""The front on the Run page: a line of words, what to show of it, the picture, the same as numbers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from dashboard.assets import CARDS
from dashboard.components.front_chosen import chosen_panel, keep_chosen, remember_chosen
from dashboard.components.goal_lines import set_goal
from dashboard.components.live_front import live_front
from dashboard.components.luck import Luck, luck_of
from dashboard.components.plain_models import baselines_shown
from dashboard.components.run_tabs import show_table
from dashboard.figures.front import front_payload
from dashboard.texts import language, text
from dashboard.views.front import FrontView, front_view
from dashboard.views.front_axes import axis_keys, axis_label
from dashboard.views.front_choice import COLOURS, MARKS, FrontChoice
from dashboard.views.front_table import front_table
from dashboard.views.front_words import legend_help, tie_sentence
from dashboard.watching import Memory, Watched, remembered

if TYPE_CHECKING:
    from dashboard.state import Selection
    from nas_core.search import Ranking

__all__ = ["FRONT_WORDS", "front_area", "front_choice"]

Found = TypeVar("Found")

FRONT_WORDS = {
    **{name: f"run.name_{name}" for name in ("cloud", "recent", "front", "floors", "best", "selected")},
    **{name: f"front.name_{name}" for name in ("knee", "unsupported", "tied", "possible", "ellipses")},
    **{name: f"front.{name}" for name in ("band_lead", "shaky", "keys")},
    **{f"goal_{name}": f"front.goal_{name}" for name in ("add", "line", "remove", "drop", "at_least", "at_most")},
    **{f"card_{name}": f"front.card_{name}" for name in ("on_front", "knee", "unsupported", "tied", "chance", "twins",
                                                         "interpretability")},
    **{f"chosen_{name}": f"chosen.{name}" for name in ("group", "box", "lasso")},
    "card_chosen": "chosen.card",
    "misses": "goals.name_misses",
    "outside": "run_space.name_outside",
    "plain": "baselines.plain",
    "ribbon": "run.ribbon",
    "band": "run.ribbon_band",
    "summary": "run.front_summary",
    "drawing": "run.front_drawing",
}  # fmt: skip
_CHOICE = "nasight_front_choice"
_KEPT = 8
_VIEWS: Memory[FrontView] = OrderedDict()
_DRAWN: Memory[bytes] = OrderedDict()


def front_area(
    watched: Watched, ranked: Ranking, selection: Selection, *, on_picked: Callable[[int], None],
    on_opened: Callable[[int], None], on_goal: Callable[[], None],
) -> None:  # fmt: skip
    """Draw the front with what belongs to it.

    Args:
        watched: The run.
        ranked: Its candidates under the preference in force.
        selection: What a person has picked.
        on_picked: Called with the number of a candidate that a person clicks.
        on_opened: Called with the number of one that a person opens with a key.
        on_goal: Called after a goal was set on the plot.
    """
    choice = front_choice(watched)
    luck = luck_of(watched, ranked) if choice.uncertain else None
    key = _shared_key(watched, ranked, selection, choice)
    view = _shared(_VIEWS, key, lambda: _view(watched, ranked, selection, choice, luck))
    words, buttons = st.columns([5, 3], vertical_alignment="center", gap="small")
    words.caption(_caption(view, choice), help=legend_help(view))
    with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
        _view_popover(watched, choice)
        _table_popover(watched, ranked, view, choice, luck)
    if luck is not None:
        _luck_words(view, choice, luck)
    if view.marks.no_ellipses:
        st.caption(view.marks.no_ellipses)
    run_id = watched.record.id
    cards, chosen = _cards(run_id), remember_chosen(run_id)
    drawn = _shared(_DRAWN, key and (*key, cards, chosen), lambda: front_payload(view, cards=cards, chosen=chosen))
    live_front(
        drawn, key=f"front_{run_id}", on_picked=on_picked,
        on_opened=on_opened, on_goal=lambda name, value: set_goal(run_id, name, value, on_goal),
        on_chosen=partial(keep_chosen, run_id),
    )  # fmt: skip
    chosen_panel(watched, ranked, choice.keys, show_table)
    goals = not choice.z and any(axis.goal for axis in view.axes)
    st.caption(text("front.hint_space" if choice.z else "front.hint_goals" if goals else "front.hint"))


def _shared_key(
    watched: Watched, ranked: Ranking, selection: Selection, choice: FrontChoice
) -> tuple[Hashable, ...] | None:
    """Return what the front depends on, None where it is that of this tab alone: most tabs look at the same."""
    if choice.uncertain or baselines_shown(watched)[0]:
        return None
    record, snapshot = watched.record, watched.snapshot
    return (record.id, record.created, snapshot.revision, len(snapshot), watched.space.id,
            ranked.preference.model_dump_json(), selection.candidate, choice, watched.progress.live,
            language())  # fmt: skip


def _shared(memory: Memory[Found], key: tuple[Hashable, ...] | None, find: Callable[[], Found]) -> Found:
    return find() if key is None else remembered(memory, key, find, kept=_KEPT)


def _view(watched: Watched, ranked: Ranking, selection: Selection, choice: FrontChoice, luck: Luck | None) -> FrontView:
    nearest = ranked.best is not None and not ranked.meets[ranked.best]  # nobody meets the goals
    keys = {**FRONT_WORDS, "best": "goals.name_nearest"} if nearest else FRONT_WORDS
    waiting = text("run.front_first" if watched.progress.live else "run.sentence_none")
    return front_view(
        watched.record.id, watched.snapshot, ranked, selected=selection.candidate, live=watched.progress.live,
        words={"waiting": waiting, **{name: text(key) for name, key in keys.items()}},
        baselines=baselines_shown(watched)[0], inside=watched.inside, choice=choice,
        luck=None if luck is None else luck.found, since=tuple(v.since for v in watched.view.versions),
    )  # fmt: skip


def _cards(run_id: str) -> str:
    from urllib.parse import quote

    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    language = st.query_params.get("lang", "en")
    return f"{'/' + base if base else ''}{CARDS}/{quote(run_id, safe='')}/{{number}}?lang={quote(language, safe='')}"


def _caption(view: FrontView, choice: FrontChoice) -> str:
    if choice.usual:
        return text("front.caption")
    names = dict(zip("xyz", (axis.name for axis in view.axes)))
    return text("front.caption_space" if choice.z else "front.caption_axes", **names)


def _luck_words(view: FrontView, choice: FrontChoice, luck: Luck) -> None:
    if luck.failure:
        st.warning(text("front.failed", reason=luck.failure))
    elif luck.found is None:
        st.caption(text("front.working"))
    elif "ties" in choice.marks and (told := tie_sentence(view)):
        st.caption(told)


def front_choice(watched: Watched) -> FrontChoice:
    """Return what this tab shows of a front: what the session saw last, after a reload what the URL names."""
    axes = axis_keys(watched.snapshot.names)
    known: FrontChoice | None = st.session_state.get(_CHOICE)
    choice = FrontChoice.read(st.query_params.to_dict(), axes) if known is None else known.within(axes)
    st.session_state[_CHOICE] = choice
    wanted = choice.query()
    for key in ("fx", "fy", "fz", "fc", "fm"):
        if key not in wanted:
            st.query_params.pop(key, None)
        elif st.query_params.get(key) != wanted[key]:
            st.query_params[key] = wanted[key]
    return choice


def _view_popover(watched: Watched, choice: FrontChoice) -> None:
    """Draw the choice of axes, colours and marks."""
    popover = st.popover(text("front.view"), key="front_view", on_change="rerun", icon=":material/tune:",
                         help=text("front.view_help"))  # fmt: skip
    if not popover.open:
        return
    objective, axes = watched.snapshot.objective, axis_keys(watched.snapshot.names)
    named = partial(_axis_name, objective=objective)
    with popover:
        left, right = st.columns(2)
        with left:
            _select("x", list(axes), choice.x, named)
        with right:
            _select("y", list(axes), choice.y, named)
        with left:
            _select("z", ["", *(key for key in axes if key not in (choice.x, choice.y))], choice.z, named)
        with right:
            versions = len(watched.view.versions) > 1
            _select("colour", [c for c in COLOURS if c != "version" or versions or c == choice.colour], choice.colour,
                    lambda name: text(f"front.colour_{name}"))  # fmt: skip
        _keep("front_marks", list(choice.marks))
        st.pills(text("front.marks"), list(MARKS), selection_mode="multi", key="front_marks", on_change=_chosen,
                 format_func=lambda name: text(f"front.mark_{name}"), help=text("front.marks_help"))  # fmt: skip
        st.button(text("front.axes_reset"), type="tertiary", key="front_usual", on_click=_usual,
                  disabled=choice == FrontChoice())  # fmt: skip


def _axis_name(key: str, objective: Any) -> str:
    return axis_label(key, objective) if key else text("front.z_none")


def _select(name: str, options: list[str], value: str, named: Callable[[str], str]) -> None:
    _keep(f"front_{name}", value)
    st.selectbox(text(f"front.{name}"), options, key=f"front_{name}", format_func=named, on_change=_chosen)


def _keep(key: str, value: object) -> None:
    """Make a widget show ``value``; it may have been closed, or set elsewhere, since it was drawn last."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def _chosen() -> None:
    """Take over what the popover says; two axes of one quantity change places."""
    old: FrontChoice = st.session_state[_CHOICE]
    x, y, z = (st.session_state.get(f"front_{name}", getattr(old, name)) for name in "xyz")
    if x == y:
        x, y = (old.y, y) if x == old.x else (x, old.x)
    z = "" if z in (x, y) else z
    marks = tuple(m for m in MARKS if m in (st.session_state.get("front_marks") or ()))
    st.session_state[_CHOICE] = replace(
        old, x=x, y=y, z=z, colour=st.session_state.get("front_colour", old.colour), marks=marks
    )


def _usual() -> None:
    st.session_state[_CHOICE] = FrontChoice()


def _table_popover(watched: Watched, ranked: Ranking, view: FrontView, choice: FrontChoice, luck: Luck | None) -> None:
    """Draw what the plot shows as numbers, when it is asked for."""
    popover = st.popover(text("front.table"), key="front_table", on_change="rerun", icon=":material/table_rows:",
                         help=text("front.table_help"))  # fmt: skip
    if not popover.open:
        return
    import pandas as pd

    table = front_table(view, watched.snapshot, ranked, choice, None if luck is None else luck.found)
    with popover:
        st.caption(view.summary)
        if not table.total:
            st.caption(text("front.table_empty"))
            return
        frame = pd.DataFrame(table.columns)
        st.caption(text("front.table_caption", x=view.axes[0].name, rows=len(frame), total=table.total))
        st.dataframe(frame, hide_index=True, height=320, key="front_numbers")
