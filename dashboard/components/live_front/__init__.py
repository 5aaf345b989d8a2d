"""The live Pareto front as one Components-v2 element.

``st.plotly_chart`` remounts a chart at every change of its data and loses the zoom; this element keeps one Plotly
chart for its whole life. Its identity is the key alone, as long as its definition stays the same: markup and loader are
constants, and every word comes with the data. The modules beside this file (``front.js`` first) and plotly.js come
from the server's own routes (``dashboard.server``) under names that carry their content's version, so a browser fetches
each once.
(Streamlit's packaged assets are found only when the distribution is named like the import package and is not an
editable install; a route works in every install.)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from dashboard.assets import asset_url

__all__ = ["live_front"]

HEIGHT = 400

HTML = f"""
<div style="position:relative;margin:4px 12px 6px 62px">
  <div class="nasight-ribbon" role="group" style="display:flex;border-radius:4px;overflow:hidden;height:22px"></div>
  <div class="nasight-hatches"></div>
  <div class="nasight-weight"></div>
</div>
<div style="position:relative">
  <div class="nasight-front" role="figure" style="width:100%;height:{HEIGHT}px"></div>
  <div class="nasight-choosing"></div>
  <div class="nasight-goals"></div>
  <div class="nasight-ring"></div>
  <div class="nasight-card" role="status" style="display:none"></div>
  <div class="nasight-wait" style="position:absolute;inset:0;display:flex;align-items:center;justify-content:center;
    pointer-events:none"></div>
</div>
"""

LOADER = """
let module
const base = new URL(document.baseURI).origin
export default function (component) {{
  module ??= import(base + "{front}").catch((error) => {{ module = undefined; throw error }})
  module.then((m) => m.render(component, base + "{plotly}"))
  return () => module.then((m) => m.unmount(component.parentElement))
}}
"""


def live_front(
    payload: bytes, *, key: str, on_picked: Callable[[int], None], on_opened: Callable[[int], None] | None = None,
    on_goal: Callable[[str, float | None], None] | None = None, on_chosen: Callable[[str], None] | None = None,
) -> None:  # fmt: skip
    """Draw the front; every callback runs before the script run that a person's act causes.

    Args:
        payload: What :func:`dashboard.figures.front.front_payload` returns.
        key: Identity of the element; a different key is a different chart.
        on_picked: Called with a candidate's number when a person clicks its point, or presses Space on it.
        on_opened: Called with the number of the candidate that a person opens with the Enter key.
        on_goal: Called with what a goal is for and its value when a person sets one on the plot; None removes it.
        on_chosen: Called with the numbers of all that is chosen when a person has drawn around points, written as
            :func:`dashboard.views.front_chosen.spelled` does.
    """

    def told(name: str) -> Any:
        return st.session_state[key].get(name)

    def number(name: str, call: Callable[[int], None] | None) -> None:
        if call is not None and isinstance(told(name), int | float):
            call(int(told(name)))

    def goal() -> None:
        found = told("goal")
        if on_goal is None or not isinstance(found, Mapping) or not isinstance(found.get("name"), str):
            return
        value = found.get("value")
        if value is None or (isinstance(value, int | float) and math.isfinite(value)):
            on_goal(found["name"], value)

    def chosen() -> None:
        if on_chosen is not None and isinstance(told("chosen"), str):
            on_chosen(told("chosen"))

    mount = st.components.v2.component(
        "nasight_live_front",
        html=HTML,
        js=LOADER.format(front=asset_url("front.js"), plotly=asset_url("plotly.js")),
        isolate_styles=False,
    )
    mount(
        data=payload, key=key, on_picked_change=lambda: number("picked", on_picked),
        on_opened_change=lambda: number("opened", on_opened), on_goal_change=goal, on_chosen_change=chosen,
    )  # fmt: skip
