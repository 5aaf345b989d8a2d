"""The file itself: a template, one script, one style and the data, under a policy that forbids everything else."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from dashboard.theme import DARK, LIGHT, Palette

__all__ = ["replay_page", "script_text"]

SCRIPTS = ("rank.js", "charts.js", "front.js", "panel.js", "tables.js", "app.js")
"""In the order they are run; ``rank.js`` knows nothing of a page and is tested by itself."""
_HOLE = re.compile(r"\{\{(\w+)\}\}")


def replay_page(data: Mapping[str, Any]) -> str:
    """Return the HTML file of ``data``, see :func:`dashboard.replay.gathering.replay_data`.

    Nothing in it can be run but the one script whose hash the policy names; nothing is fetched. Text that people typed
    is only ever data: ``<`` is written so that no element can begin in it.
    """
    script, style = script_text(), style_text()
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    run = data["run"]
    holes = {
        "language": escape(str(data["language"])),
        "policy": escape(policy),
        "title": escape(f"{run['name']} · NASight"),
        "heading": escape(str(run["name"])),
        "style": style,
        "script": script,
        "data": _json(data),
    }
    return _HOLE.sub(lambda hole: holes[hole[1]], _read("template.html"))


@cache
def script_text() -> str:
    """Return the script of the file: all its parts in one function, so that nothing of it is global."""
    parts = "\n".join(_read(name) for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}\n}})();'


@cache
def style_text() -> str:
    """Return the style of the file: the studio's two palettes as variables, light on paper, and the rules."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root{{color-scheme:light;{light}}}\n"
        f"@media(prefers-color-scheme:dark){{:root{{color-scheme:dark;{dark}}}}}\n"
        f":root[data-theme=light]{{color-scheme:light;{light}}}\n:root[data-theme=dark]{{color-scheme:dark;{dark}}}\n"
        f"@media print{{:root,:root[data-theme]{{color-scheme:light;{light}}}}}\n{_kinds()}{_read('replay.css')}"
    )


def _variables(colours: Palette) -> str:
    """Return the colours of one appearance as CSS variables; the categories are ``c0`` to ``c7``."""
    named = {f.name: getattr(colours, f.name) for f in fields(colours)}
    several = {f"c{at}": colour for at, colour in enumerate(colours.categories)}
    plain = {name: colour for name, colour in named.items() if isinstance(colour, str)}
    return "".join(f"--{name}:{colour};" for name, colour in (plain | several).items())


def _kinds() -> str:
    """Return how boxes of a network are filled: a sixth of their kind's colour, opaque to edges behind."""
    return "".join(
        f".k{at}{{stroke:var(--c{at});fill:color-mix(in srgb,var(--c{at}) 16%,var(--background))}}\n"
        for at in range(len(LIGHT.categories))
    )


def _json(data: Mapping[str, Any]) -> str:
    """Return JSON that can stand inside a script element: no ``<``, ``>`` or ``&``, no line ends JavaScript knows."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


@cache
def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
