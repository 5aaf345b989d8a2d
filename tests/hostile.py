"""A table whose names are commands in every language that shows them, and what would be left of them unescaped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

__all__ = ["CLASSES", "NAMES", "NOTE", "foreign", "hostile_table"]

PLACE = "http://203.0.113.9"  # reserved for documentation: nobody is there
NAMES = (
    f"![i1]({PLACE}/1.png)",
    "**b1** :red[r1] $m1$",
    '<img src=x onerror="document.title=1">',
    f'<a href="{PLACE}">l1</a> <b>q1</b>',
    "=1+1 `k1`",
    f"[n1]({PLACE}) <script>document.title=1</script>",
)
CLASSES = ("<b>q1</b> **b1**", f"![i1]({PLACE}/2.png)")
NOTE = f"**b1** <b>q1</b> ![i1]({PLACE}/3.png)"

IN_MARKDOWN = ("![i1](", "**b1**", ":red[r1]", "$m1$", "`k1`", "[n1](http")
IN_HTML = ("<img src=x", "<a href", "<b>q1", "<script>document")
SPOKEN = {"label", "body", "help", "content", "tooltip", "placeholder", "markdown"}
"""Fields of Streamlit's elements that are read as Markdown."""
PLAIN = {"code", "arrow_data_frame", "arrowDataFrame", "plotly_chart", "html", "text_area", "text_input", "json"}


def hostile_table(folder: Path) -> Path:
    """Write the table and return its file, whose name is a command as well."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.normal(size=90).round(3) for name in NAMES})
    frame["kind"] = rng.choice(["<b>q1</b>", "**b1**", "=k"], 90)
    frame["target **b1**"] = np.where(frame[NAMES[0]] + frame[NAMES[1]] > 0, *CLASSES)
    file = folder / "<b>q1<b> **b1** ![i1](x).csv"
    frame.to_csv(file, index=False)
    return file


def foreign(app: AppTest) -> list[str]:
    """Return what a page would take for markup of its own, from what people typed: element, sign and surroundings."""
    found: list[str] = []
    for element in _elements(app.main) + _elements(app.sidebar):
        kind, proto = element.type, getattr(element, "proto", None)
        if proto is None:
            continue
        if kind == "plotly_chart":
            spec = proto.spec or proto.figure.spec
            found += [f"plotly: {near}" for near in _signs(_strings(json.loads(spec)), IN_HTML)]
        elif kind == "html":
            found += [f"html: {near}" for near in _signs([proto.body], IN_HTML)]
        elif kind not in PLAIN:
            spoken = list(_spoken(MessageToDict(proto)))
            found += [f"{kind}: {near}" for near in _signs(spoken, IN_MARKDOWN)]
    return sorted(set(found))


def _elements(block: Any) -> list[Any]:
    found = []
    for child in block.children.values():
        found.append(child)
        if hasattr(child, "children"):
            found += _elements(child)
    return found


def _spoken(value: Any, key: str = "") -> Any:
    if isinstance(value, str) and key in SPOKEN:
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _spoken(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _spoken(inner, key)


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [s for one in inner for s in _strings(one)]


def _signs(texts: list[str], signs: tuple[str, ...]) -> list[str]:
    return [text[max(0, at - 60) : at + 40] for text in texts for sign in signs if (at := text.find(sign)) >= 0]
