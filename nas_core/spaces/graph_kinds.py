"""How the kinds of operations look in every picture of a network: a colour, and an outline as the second cue.

Families name the kinds of their nodes freely; a kind that is not listed here is drawn like a plain operation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["KIND_STYLES", "OKABE_ITO", "KindStyle", "Outline", "kind_style"]

Outline = Literal["rectangle", "pill", "rounded", "cut", "funnel", "stack"]

OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C7A00", "#6B7785")
"""Colours told apart with colour-vision deficiency (Okabe & Ito 2008), yellow and black darkened for light grounds."""


@dataclass(frozen=True)
class KindStyle:
    """How one kind looks.

    Attributes:
        words: What a legend calls it.
        slot: Position of its colour in :data:`OKABE_ITO` and in the palettes of the studio.
        outline: Its outline; kinds that share a colour differ in it.
    """

    words: str
    slot: int
    outline: Outline


_WEIGHTS, _JOIN, _FUNCTION, _READ, _INPUT, _OUTPUT, _POOL, _PLAIN = range(8)

KIND_STYLES: dict[str, KindStyle] = {
    "input": KindStyle("input", _INPUT, "pill"),
    "embedding": KindStyle("embedding", _INPUT, "cut"),
    "linear": KindStyle("linear", _WEIGHTS, "rectangle"),
    "conv": KindStyle("convolution", _WEIGHTS, "rectangle"),
    "recurrent": KindStyle("recurrent", _WEIGHTS, "cut"),
    "attention": KindStyle("attention", _READ, "cut"),
    "activation": KindStyle("activation", _FUNCTION, "rounded"),
    "pool": KindStyle("pooling", _POOL, "funnel"),
    "add": KindStyle("sum", _JOIN, "pill"),
    "concat": KindStyle("concatenation", _JOIN, "cut"),
    "multiply": KindStyle("product", _JOIN, "rounded"),
    "norm": KindStyle("normalisation", _PLAIN, "rectangle"),
    "dropout": KindStyle("dropout", _PLAIN, "rounded"),
    "identity": KindStyle("identity", _PLAIN, "pill"),
    "flatten": KindStyle("flatten", _PLAIN, "funnel"),
    "readout": KindStyle("readout", _READ, "rectangle"),
    "output": KindStyle("output", _OUTPUT, "pill"),
    "group": KindStyle("several operations", _WEIGHTS, "stack"),
}


def kind_style(kind: str) -> KindStyle:
    """Return how ``kind`` looks; a kind not listed is grey, rectangular and called by its own name."""
    return KIND_STYLES.get(kind) or KindStyle(kind.replace("_", " "), _PLAIN, "rectangle")
