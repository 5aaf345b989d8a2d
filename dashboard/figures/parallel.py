"""Parallel coordinates as bytes for the ``parallel`` element: two bytes a crossing instead of a figure's JSON."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from dashboard.theme import DARK, LIGHT, Palette
from dashboard.views.parallel import ParallelView

__all__ = ["MISSING", "ON_FRONT", "STARRED", "parallel_payload"]

MISSING = 65535
"""Where a line has no value; values are fractions of 65,534."""
ON_FRONT, STARRED = 1, 2


def parallel_payload(view: ParallelView, words: Mapping[str, str]) -> bytes:
    """Return the bytes that ``parallel.js`` draws: uint32 length, JSON header, crossings, numbers, flags.

    The header is padded so that the arrays begin at a multiple of four: crossings (A, k) uint16, numbers (k,) uint32,
    flags (k,) uint8, with a pad of two bytes before the numbers where it is needed.
    """
    fractions = np.clip(view.fractions.T, 0.0, 1.0)
    crossings = np.where(np.isnan(fractions), MISSING, np.round(np.nan_to_num(fractions) * (MISSING - 1)))
    header: dict[str, Any] = {
        "count": len(view.numbers),
        "run": view.run,
        "axes": [
            {
                "name": s.name,
                "label": s.label,
                "kind": s.kind,
                "ends": [s.low, s.high],
                "log": s.log,
                "words": s.words,
                "ticks": [[round(f, 4), w] for f, w in s.ticks],
            }
            for s in view.scales
        ],
        "best": view.best,
        "selected": view.selected,
        "summary": view.summary,
        "words": dict(words),
        "colours": {"light": _colours(LIGHT), "dark": _colours(DARK)},
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % 4)
    body = crossings.astype("<u2").tobytes()
    flags = view.on_front * np.uint8(ON_FRONT) + view.starred * np.uint8(STARRED)
    return b"".join([
        struct.pack("<I", len(text)), text, body, b"\0" * (-len(body) % 4), view.numbers.astype("<u4").tobytes(),
        flags.astype(np.uint8).tobytes(),
    ])  # fmt: skip


def _colours(colours: Palette) -> dict[str, str]:
    wanted = ("background", "panel", "ink", "muted", "grid", "accent", "chosen", "dominated", "front", "accuracy",
              "interpretability")  # fmt: skip
    return {name: getattr(colours, name) for name in wanted}
