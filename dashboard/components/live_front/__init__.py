"""The live Pareto front as one Components-v2 element.

``st.plotly_chart`` remounts a chart at every change of its data and loses the zoom; this element keeps one Plotly
chart for its whole life. Its identity is the key alone, as long as its definition stays the same: markup and loader are
constants, and every word comes with the data. The module ``front.js`` and plotly.js come from the server's
own routes (``dashboard.server``) under names that carry their content's version, so a browser fetches each once.
(Streamlit's packaged assets are found only when the distribution is named like the import package and is not an
editable install; a route works in every install.)
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from dashboard.assets import asset_url

__all__ = ["live_front"]

HEIGHT = 400

HTML = f"""
<div style="position:relative;margin:4px 12px 6px 62px">
  <div class="nasight-ribbon" role="group" style="display:flex;border-radius:4px;overflow:hidden;height:22px"></div>
  <div class="nasight-weight"></div>
</div>
<div style="position:relative">
  <div class="nasight-front" role="figure" style="width:100%;height:{HEIGHT}px"></div>
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


def live_front(payload: bytes, *, key: str, on_picked: Callable[[int], None]) -> None:
    """Draw the front; call ``on_picked`` with a candidate's number when a person clicks its point.

    Args:
        payload: What :func:`dashboard.figures.front.front_payload` returns.
        key: Identity of the element; a different key is a different chart.
        on_picked: Runs before the script run that the click causes.
    """

    def picked() -> None:
        number = st.session_state[key].get("picked")
        if isinstance(number, int | float):
            on_picked(int(number))

    mount = st.components.v2.component(
        "nasight_live_front",
        html=HTML,
        js=LOADER.format(front=asset_url("front.js"), plotly=asset_url("plotly.js")),
        isolate_styles=False,
    )
    mount(data=payload, key=key, on_picked_change=picked)
