"""The tab with the time of a run: one bar of its phases, and its packs and events over time."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.components.live_chart import live_chart
from dashboard.figures.timeline import timeline_figure
from dashboard.texts import text
from dashboard.theme import Palette, palette
from dashboard.views.exports import size_words
from dashboard.views.progress import ProgressView
from dashboard.views.timeline import Phase, phases_view, timeline_view
from dashboard.views.words import count, duration, number, percent
from dashboard.watching import Watched
from nas_core.escaping import markdown_text

__all__ = ["phases_html", "time_tab"]

HEIGHT = 300
NARROW = 0.07
"""A part of the bar below this share has no room for its name."""
LABELS = ("x", "y", "packs", "failed", "pruned", "events", "candidates")


def time_tab(watched: Watched) -> None:
    """Draw the tab."""
    phases = phases_view(watched.progress.phases)
    total = sum(phase.seconds for phase in phases)
    spent = {phase.name: duration(phase.seconds) for phase in phases}
    rest = duration(total - sum(p.seconds for p in phases if p.name in ("train", "measure")))
    caption = text("run.phases_caption", elapsed=duration(total), train=spent["train"], measure=spent["measure"],
                   rest=rest)  # fmt: skip
    colours = palette(state.is_dark())
    st.caption(f"{caption} {' '.join(_speed(watched.progress, watched.record.settings))}")
    if total:
        st.html(phases_html(phases, colours))
    from nas_core.search import STRATEGIES

    names = {name: strategy.label for name, strategy in STRATEGIES.items()}
    view = timeline_view(
        watched.view.events, watched.snapshot, watched.record.created, watched.snapshot.objective, names
    )
    if not view.packs and not len(view.candidates[0]):
        st.caption(text("timeline.none"))
        return
    labels = {name: text(f"timeline.{name}") for name in LABELS} | {"pack": text("timeline.pack")}
    figure = timeline_figure(view, colours, labels, height=HEIGHT)
    figure.layout.template = None  # longer than the picture
    words = text("timeline.words", packs=count(len(view.packs)), events=count(len(view.moments)),
                 failed=count(len(view.lost["failed"][0])), pruned=count(len(view.lost["pruned"][0])))  # fmt: skip
    live_chart(str(figure.to_json()), height=HEIGHT, words=words, key=f"timeline_{watched.record.id}")
    told = "" if view.packs else " " + text("timeline.old")
    st.caption(words + told)


def _speed(now: ProgressView, settings: Mapping[str, Any]) -> list[str]:
    """Say how fast the run was, what it trains on, how much it trained, how much memory it has, how long it paused."""
    said = []
    if now.elapsed and now.evaluated:
        kind, _, more = (now.device or str(settings.get("device", "auto"))).partition(" ")
        device = text(f"timeline.device_{kind}", more=markdown_text(f" {more}" if more else ""))
        said.append(text("timeline.speed", rate=number(now.evaluated / now.elapsed), device=device))
    if now.epochs:
        said.append(text("timeline.epochs", epochs=count(now.epochs)))
    if now.memory:
        said.append(text("timeline.memory", memory=size_words(now.memory)))
    if now.device_memory is not None:
        said.append(text("timeline.device_memory", memory=size_words(now.device_memory)))
    if now.paused:
        said.append(text("timeline.paused", paused=duration(now.paused)))
    return said


def phases_html(phases: tuple[Phase, ...], colours: Palette) -> str:
    """Return the phases as one stacked bar with names in it, and below it every phase in words."""
    inks = dict(zip(("train", "measure", "strategy", "store"), colours.categories)) | {"idle": colours.muted}
    on = {name: "#FFFFFF" if _dark(ink) else "#000000" for name, ink in inks.items()}
    whole = sum(phase.seconds for phase in phases)
    if not whole:
        return ""
    parts = "".join(
        f'<div title="{escape(phase.label)}: {escape(phase.words)}" style="width:{100 * phase.share:.3f}%;'
        f"background:{inks[phase.name]};overflow:hidden;white-space:nowrap;text-align:center;color:{on[phase.name]};"
        f'border-right:1px solid {colours.background};line-height:22px;height:22px;font-size:.8rem">'
        f"{escape(phase.label) if phase.share >= NARROW else ''}</div>"
        for phase in phases
    )
    legend = "".join(
        f'<span style="white-space:nowrap"><span style="display:inline-block;width:10px;height:10px;border-radius:2px;'
        f'background:{inks[phase.name]};margin-right:5px"></span>{escape(phase.label)} '
        f'<span style="color:{colours.muted}">{escape(phase.words)}</span></span>'
        for phase in phases
    )
    told = "; ".join(f"{phase.label} {percent(phase.share)}" for phase in phases)
    return (
        f'<div role="img" aria-label="{escape(told)}" '
        f'style="display:flex;border-radius:4px;overflow:hidden">{parts}</div>'
        f'<div style="display:flex;flex-wrap:wrap;gap:4px 18px;margin-top:6px;font-size:.875rem;color:{colours.ink}">'
        f"{legend}</div>"
    )


def _dark(colour: str) -> bool:
    """Return whether white can be read better on ``colour`` (#RRGGBB) than black."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue < 118
