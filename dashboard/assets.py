"""Files the browser fetches from this server: plotly.js of the installed wheel, and the studio's own modules.

Each has the first digits of its content's hash in its name, so that it can be cached for a year and still changes with
the next version; a module that imports another one holds that one's name, so its own changes too. No file is fetched
from anywhere else.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["CARDS", "ROUTE", "Asset", "asset", "asset_url", "assets"]

ROUTE = "/nasight/assets"
CARDS = "/nasight/cards"
"""Where the server tells more of a candidate: ``/run/number`` behind it."""
_COMPONENTS = Path(__file__).parent / "components"
_BESIDE = re.compile(rb'from "\./(\w+\.js)"')
"""How a module names one beside it. No module may import one that imports it: its name would depend on itself."""


@dataclass(frozen=True)
class Asset:
    """One file, compressed once: the name it is served under and its gzip bytes."""

    name: str
    body: bytes


def _modules(folder: str) -> list[Path]:
    return sorted((_COMPONENTS / folder).glob("*.js"))


def _sources() -> dict[str, Path]:
    import plotly

    return {
        **{path.name: path for folder in ("live_chart", "live_front") for path in _modules(folder)},
        "parallel.js": _COMPONENTS / "parallel" / "parallel.js",
        "plotly.js": Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
        "scrubber.js": _COMPONENTS / "scrubber" / "scrubber.js",
    }


@cache
def _content(name: str) -> bytes:
    """Return a file as it is served: a module names the modules beside it as they are served, too."""
    source = _sources()[name].read_bytes()
    if name == "plotly.js":
        return source
    return _BESIDE.sub(lambda found: b'from "./' + _named(found[1].decode()).encode() + b'"', source)


@cache
def _named(name: str) -> str:
    digest = hashlib.sha256(_content(name)).hexdigest()[:12]
    return f"{name.removesuffix('.js')}-{digest}.js"


@cache
def asset(name: str) -> Asset:
    """Return the asset called ``name``, one of the plain names of :func:`assets`."""
    return Asset(_named(name), gzip.compress(_content(name), 6, mtime=0))


def assets() -> dict[str, str]:
    """Return the served name of every asset, mapped to its plain name."""
    return {_named(name): name for name in _sources()}


def asset_url(name: str) -> str:
    """Return the path of an asset on this server."""
    import streamlit as st

    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}{ROUTE}/{_named(name)}"
