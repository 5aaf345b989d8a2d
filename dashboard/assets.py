"""Files the browser fetches from this server: plotly.js of the installed wheel, and the studio's own modules.

Each has the first digits of its content's hash in its name, so that it can be cached for a year and still changes with
the next version. No file is fetched from anywhere else.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["ROUTE", "Asset", "asset", "asset_url", "assets"]

ROUTE = "/nasight/assets"
_COMPONENTS = Path(__file__).parent / "components"


@dataclass(frozen=True)
class Asset:
    """One file, compressed once: the name it is served under and its gzip bytes."""

    name: str
    body: bytes


def _sources() -> dict[str, Path]:
    import plotly

    return {
        "chart.js": _COMPONENTS / "live_chart" / "chart.js",
        "front.js": _COMPONENTS / "live_front" / "front.js",
        "parallel.js": _COMPONENTS / "parallel" / "parallel.js",
        "plotly.js": Path(plotly.__file__).parent / "package_data" / "plotly.min.js",
        "scrubber.js": _COMPONENTS / "scrubber" / "scrubber.js",
    }


@cache
def _named(name: str) -> str:
    source = _sources()[name]
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    return f"{name.removesuffix('.js')}-{digest}.js"


@cache
def asset(name: str) -> Asset:
    """Return the asset called ``name``, one of the plain names of :func:`assets`."""
    return Asset(_named(name), gzip.compress(_sources()[name].read_bytes(), 6, mtime=0))


def assets() -> dict[str, str]:
    """Return the served name of every asset, mapped to its plain name."""
    return {_named(name): name for name in _sources()}


def asset_url(name: str) -> str:
    """Return the path of an asset on this server."""
    import streamlit as st

    base = (st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}{ROUTE}/{_named(name)}"
