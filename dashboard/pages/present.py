"""The presentation: one story in large type, "what does interpretability cost here?", stepped with the keyboard."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import process, state
from dashboard.components.presented import reasons, trusted
from dashboard.components.run_controls import WEIGHT, preference_in_force
from dashboard.figures.architecture import architecture_figure
from dashboard.figures.story import price_figure, story_front_figure
from dashboard.texts import text
from dashboard.theme import PLOT_STILL, palette
from dashboard.views.graph import graph_view
from dashboard.views.story import SLIDES, Stop, Story, price_sentence, story
from dashboard.views.words import count, interval, percent
from dashboard.watching import Watched, card_of, ranking, run_weight, watch
from nas_core.escaping import markdown_text

if TYPE_CHECKING:
    from nas_core.preferences import Goal

STEP = "step"  # query parameter
ROOM, TALL, MOST_BOXES, LARGEST = 760.0, 430.0, 24, 1.9
STYLE = """<style>
.st-key-presented {min-height: calc(100vh - 15rem)}
.st-key-presented p, .st-key-presented li {font-size: clamp(1.15rem, 1.7vw, 1.7rem); line-height: 1.45}
.nasight-title {font-size: clamp(2rem, 3.6vw, 3.4rem); font-weight: 650; line-height: 1.15; margin: 0 0 .3em}
.nasight-big {font-size: clamp(2.2rem, 4vw, 4rem); font-weight: 600; font-variant-numeric: tabular-nums}
.nasight-of {font-size: clamp(1rem, 1.3vw, 1.3rem); opacity: .8}
</style>"""


def render() -> None:
    """Draw the slide that the URL names."""
    selection = state.load()
    with state.shown_errors():
        run = selection.run or next((r.id for r in process.store().runs()), None)
        if run is None:
            st.info(text("story.empty_no_run"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"))
            return
        watched = watch(run)
        ranked = ranking(watched, preference_in_force(_weight(watched), watched.snapshot.names, _goals(watched)))
        told = story(watched.snapshot, ranked, lambda i: card_of(watched, i, ranked), chosen=selection.candidate)
        if told is None:
            st.info(text("story.empty"), icon=":material/info:")
            state.page_link("run", text("studio.go_run"), state.Selection(run))
            return
        at = _step()
        st.html(STYLE)
        with st.container(key="presented"):
            DRAW[SLIDES[at]](watched, told)
        _controls(watched, told, at)


def _weight(watched: Watched) -> float:
    """Return λ: the URL's, else that of the run."""
    try:
        return min(1.0, max(0.0, float(st.query_params[WEIGHT])))
    except (KeyError, ValueError):
        return run_weight(watched.record)


def _goals(watched: Watched) -> tuple[Goal, ...]:
    from dashboard.components.goal_lines import goals_of

    return goals_of(watched)


def _step() -> int:
    """Return the slide in the URL, counted from 0."""
    asked = st.query_params.get(STEP, "1")
    return min(max(int(asked), 1), len(SLIDES)) - 1 if asked.isascii() and asked.isdigit() else 0


def _go(step: int) -> None:
    st.query_params[STEP] = str(step + 1)


def _controls(watched: Watched, told: Story, at: int) -> None:
    """Draw the way back, on and out; the arrow keys do the same."""
    last = len(SLIDES) - 1
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        state.page_link("run", text("story.back"), state.Selection(watched.record.id, told.choice.card.id),
                        icon=":material/close:")  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            if st.button(text("story.previous"), icon=":material/arrow_back:", key="story_previous", shortcut="Left",
                         disabled=at == 0):  # fmt: skip
                _go(at - 1)
                st.rerun()
            st.markdown(text("story.progress", at=at + 1, all=last + 1), width="content")
            if st.button(text("story.next"), icon=":material/arrow_forward:", key="story_next", shortcut="Right",
                         type="secondary" if at == last else "primary", disabled=at == last):  # fmt: skip
                _go(at + 1)
                st.rerun()


def _title(words: str) -> None:
    st.html(f'<h1 class="nasight-title">{escape(words)}</h1>')


def _question(watched: Watched, told: Story) -> None:
    _title(text("story.question"))
    problem, space = watched.record.problem, watched.space
    target = str(problem.get("source", {}).get("target") or problem.get("name") or watched.record.name)
    kind = "signal" if space.signal is not None else "table"
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(text(f"story.question_{kind}", target=markdown_text(target),
                         data=markdown_text(watched.record.name),
                         features=len(space.features), tried=count(told.tried), metric=told.metric,
                         measures=told.measures))  # fmt: skip
        st.markdown(text("story.question_front"))
    with right:
        _picture(told, ())


def _picture(told: Story, named: tuple[int, ...]) -> None:
    st.plotly_chart(story_front_figure(told, palette(state.is_dark()), named=named), theme=None, config=PLOT_STILL,
                    key="story_front", alt=told.summary)  # fmt: skip


def _network(watched: Watched, told: Story, *, title: str, words: str, stop: Stop) -> None:
    """Draw one network: its numbers, a sentence, and what it looks like."""
    _title(text(title))
    left, right = st.columns([2, 3], gap="large")
    with left:
        _numbers(told, stop)
        st.markdown(words)
    with right:
        _graph(watched, stop)


def _numbers(told: Story, stop: Stop) -> None:
    colours = palette(state.is_dark())
    card = stop.card
    cells = (
        (f"#{card.number} · {told.metric}", interval(card.performance, card.low, card.high), colours.accuracy),
        (text("story.interpretability_label"), percent(card.interpretability), colours.interpretability),
    )
    st.html("".join(
        f'<div style="border-left:8px solid {colour};padding:2px 0 2px 16px;margin:0 0 18px">'
        f'<div class="nasight-of">{escape(label)}</div><div class="nasight-big">{escape(value)}</div></div>'
        for label, value, colour in cells
    ))  # fmt: skip


def _graph(watched: Watched, stop: Stop) -> None:
    from nas_core.spaces import graph

    found = watched.view.evaluation(stop.card.id)
    space = watched.view.space_of(found)
    view = graph_view(graph(space, found.architecture), [f.name for f in space.features], room=ROOM, limit=MOST_BOXES,
                      tallest=TALL)  # fmt: skip
    drawn = architecture_figure(view, palette(state.is_dark()), room=ROOM, height=TALL, largest=LARGEST)
    st.plotly_chart(drawn, theme=None, config=PLOT_STILL, key="story_graph", alt=view.words)


def _accurate(watched: Watched, told: Story) -> None:
    words = text("story.accurate_words", phrase=told.first.card.phrase)
    _network(watched, told, title="story.accurate", words=words, stop=told.first)


def _simple(watched: Watched, told: Story) -> None:
    words = text("story.simple_words", phrase=told.last.card.phrase)
    _network(watched, told, title="story.simple", words=words, stop=told.last)


def _price(watched: Watched, told: Story) -> None:
    _title(text("story.price"))
    left, right = st.columns([2, 3], gap="large")
    with left:
        for stop in told.stops:
            if stop is not told.first:
                st.markdown(price_sentence(told, stop))
    with right:
        sentences = " ".join(price_sentence(told, stop) for stop in told.stops)
        st.plotly_chart(price_figure(told, palette(state.is_dark())), theme=None, config=PLOT_STILL, key="story_price",
                        alt=sentences)  # fmt: skip


def _choice(watched: Watched, told: Story) -> None:
    stop = told.choice
    low, high = stop.wins or (0.0, 0.0)
    wins = text("story.choice_wins", low=f"{low:.2f}", high=f"{high:.2f}") if stop.wins else text("story.choice_never")
    words = f"{price_sentence(told, stop)}\n\n{wins}"
    _network(watched, told, title="story.choice", words=words, stop=stop)


def _reasons(watched: Watched, told: Story) -> None:
    _title(text("story.reasons"))
    with state.shown_errors(), st.spinner(text("story.reasons_busy"), show_time=True):
        reasons(watched.record.id, told.choice.card.id)


def _trust(watched: Watched, told: Story) -> None:
    _title(text("story.trust"))
    choice = told.choice
    lost = told.tried - told.eligible
    words = []
    if choice is not told.first:
        key = "story.trust_overlap" if choice.overlaps else "story.trust_apart"
        words.append(text(key, number=choice.card.number))
    if lost:
        words.append(text("story.trust_lost", lost=count(lost), tried=count(told.tried)))
    with state.shown_errors(), st.spinner(text("story.reasons_busy"), show_time=True):
        words = [*trusted(watched, choice.card), *words]
    for sentence in words:
        st.markdown(f"- {sentence}")


def _record(watched: Watched, told: Story) -> None:
    _title(text("story.record"))
    record, card = watched.record, told.choice.card
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.markdown(text("story.record_words", run=markdown_text(record.name), number=card.number, id=card.id))
        st.code(f"nasight show {record.id}\nnasight graph {record.id} {card.number} -o network.svg", language="bash",
                wrap_lines=True)  # fmt: skip
    with right:
        _picture(told, tuple(range(len(told.stops))))


DRAW = dict(zip(SLIDES, (_question, _accurate, _simple, _price, _choice, _reasons, _trust, _record)))


if __name__ == "__main__":
    render()
