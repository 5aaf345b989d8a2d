"""A Plotly figure that changes while a person looks at it, as one Components-v2 element that is never mounted again.

One that grows with a live run would flicker in ``st.plotly_chart``, and one on a page that is opened often would keep
the words of that page waiting until it is drawn. For others that stay as they are ``st.plotly_chart`` is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.assets import asset_url

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["live_chart", "live_figure"]

LOADER = """
let module
const base = new URL(document.baseURI).origin
export default function (component) {{
  module ??= import(base + "{chart}").catch((error) => {{ module = undefined; throw error }})
  module.then((m) => m.render(component, base + "{plotly}"))
  return () => module.then((m) => m.unmount(component.parentElement))
}}
"""


def live_chart(figure: str, *, height: int, words: str, key: str) -> None:
    """Draw a figure.

    Args:
        figure: The figure as JSON (``Figure.to_json()``), with its height in the layout.
        height: That height, pixels; it is kept free before the figure is there.
        words: What it shows, in a sentence.
        key: Identity of the element.
    """
    mount = st.components.v2.component(
        f"nasight_live_chart_{height}",
        html=f'<div class="nasight-chart" role="figure" style="width:100%;height:{height}px"></div>',
        js=LOADER.format(chart=asset_url("chart.js"), plotly=asset_url("plotly.js")),
        isolate_styles=False,
    )
    mount(data={"figure": figure, "words": words}, key=key)


def live_figure(figure: go.Figure, *, words: str, key: str) -> None:
    """Draw a figure whose layout names its height; ``words`` and ``key`` as in :func:`live_chart`.

    Such a picture is drawn when the page has come to rest, so that its words do not wait for it.
    """
    figure.layout.template = None  # longer than what is drawn; of what it says only this is needed
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    live_chart(str(figure.to_json()), height=int(figure.layout.height), words=words, key=key)
