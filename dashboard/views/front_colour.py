"""What the colour of a point says beside the front: where it came from, when, how, how surely it is on the front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.texts import text

if TYPE_CHECKING:
    from nas_core.search import FrontLuck, Snapshot

__all__ = ["KINDS", "LANDMARK", "Colouring", "colouring"]

LANDMARK = "landmark:"
KINDS = 7
"""Kinds with a colour and a shape of their own; the rest share one more."""


@dataclass(frozen=True)
class Colouring:
    """One code for each of n points.

    Attributes:
        label: What the colours say.
        codes: (n,) uint8: the position in ``names``, or a share of the scale in 255ths.
        names: The kinds there are, the most frequent first; empty for a scale.
        ends: What the two ends of a scale mean.
    """

    label: str
    codes: np.ndarray
    names: tuple[str, ...] = ()
    ends: tuple[str, str] = ("", "")


def colouring(
    wanted: str, archive: Snapshot, shown: np.ndarray, luck: FrontLuck | None = None, since: Sequence[int] = (0,)
) -> Colouring | None:
    """Return the codes of the candidates at the positions ``shown`` (n,), None where the front itself is the colour.

    Args:
        wanted: One of :data:`dashboard.views.front_choice.COLOURS`.
        archive: The archive.
        shown: (n,) positions.
        luck: Chances, for ``chance``; nobody has one without.
        since: For ``version``: how many candidates there were before each version of the search space.
    """
    if wanted == "age":
        share = np.arange(len(shown)) / max(1, len(shown) - 1)
        ends = [text("front.number", number=int(archive.index[k])) for k in (shown[[0, -1]] if len(shown) else ())]
        return _scale(wanted, share, (ends[0], ends[1]) if ends else ("", ""))
    if wanted == "chance":
        chances = np.zeros(len(archive))
        if luck is not None:
            there = luck.positions < len(archive)
            chances[luck.positions[there]] = luck.chance[there]
        return _scale(wanted, chances[shown], ("0 %", "100 %"))
    if wanted == "operator":
        return _kinds(wanted, [archive.operator[k].split(":")[0].replace("_", " ") or "–" for k in shown])
    if wanted == "origin":
        return _kinds(wanted, [_origin(archive, k) for k in shown])
    if wanted == "version":
        version = np.searchsorted(np.asarray(since), shown, side="right")
        return _kinds(wanted, [text("front.version", version=int(v)) for v in version])
    return None


def _origin(archive: Snapshot, at: int) -> str:
    if archive.operator[at].startswith(LANDMARK):
        return text("front.origin_landmark")
    return text("front.origin_manual" if archive.origin[at] == "manual" else "front.origin_strategy")


def _scale(wanted: str, share: np.ndarray, ends: tuple[str, str]) -> Colouring:
    return Colouring(text(f"front.colour_{wanted}"), np.round(255 * share).astype(np.uint8), (), ends)


def _kinds(wanted: str, named: list[str]) -> Colouring:
    counted = [name for name, _ in sorted(Counter(named).items(), key=lambda pair: (-pair[1], pair[0]))]
    kept = counted if len(counted) <= KINDS + 1 else [*counted[:KINDS], text("front.other")]
    code = {name: min(k, len(kept) - 1) for k, name in enumerate(counted)}
    return Colouring(text(f"front.colour_{wanted}"), np.array([code[n] for n in named], np.uint8), tuple(kept))
