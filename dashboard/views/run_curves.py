"""Training curves of several candidates over one another: which ones, and where and why a curve ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nas_core.records import Status

if TYPE_CHECKING:
    from collections.abc import Collection

    from nas_core.records import Evaluation
    from nas_core.search import Ranking, Snapshot

__all__ = ["GROUPS", "QUANTITIES", "Curve", "RunCurves", "curves_of", "drawn_candidates"]

Group = Literal["front", "starred", "early"]
GROUPS: tuple[Group, ...] = ("front", "starred", "early")
QUANTITIES = ("valid_loss", "train_loss", "performance")
MOST = 30
"""Curves of a group: more cannot be told apart."""


@dataclass(frozen=True)
class Curve:
    """One candidate's curve.

    Attributes:
        id, number: Of the candidate.
        kind: "front", "starred", "early", or "chosen" for the ones in view.
        epochs, values: The curve, points without a number left out.
        ended: Why it ended early; empty where it was trained to its end.
    """

    id: str
    number: int
    kind: str
    epochs: tuple[float, ...]
    values: tuple[float, ...]
    ended: str


@dataclass(frozen=True)
class RunCurves:
    """Curves to draw, those in view last and on top; ``missing`` candidates have no such curve."""

    curves: tuple[Curve, ...]
    missing: int


def drawn_candidates(
    snapshot: Snapshot, ranked: Ranking, groups: Collection[str], starred: Collection[str],
    chosen: Sequence[str | None],
) -> dict[str, str]:  # fmt: skip
    """Return who is drawn and as what: of each group the best or newest :data:`MOST`, and those in view."""
    found: dict[str, str] = {}
    if "early" in groups:
        early = [i for i, s in enumerate(snapshot.status) if s in (Status.PRUNED, Status.CANCELLED)]
        found |= {snapshot.ids[i]: "early" for i in early[-MOST:]}
    if "front" in groups:
        front = [int(i) for i in ranked.order if ranked.on_front[i]][:MOST]
        found |= {snapshot.ids[i]: "front" for i in front}
    if "starred" in groups:
        stars = [key for key in starred if snapshot.position(key) is not None]
        found |= dict.fromkeys(stars[-MOST:], "starred")
    in_view = [key for key in chosen if key is not None and snapshot.position(key) is not None]
    return {key: kind for key, kind in found.items() if key not in in_view} | dict.fromkeys(in_view, "chosen")


def curves_of(evaluations: Sequence[tuple[Evaluation, str]], quantity: str) -> RunCurves:
    """Return the curves of candidates and their kinds; ``quantity`` is one of :data:`QUANTITIES`."""
    found, missing = [], 0
    for evaluation, kind in evaluations:
        values = evaluation.curves.get(quantity, [])
        at = evaluation.curves.get(f"{quantity}_epoch") or list(np.arange(1, len(values) + 1))
        pairs = [(float(e), float(v)) for e, v in zip(at, values) if math.isfinite(v)]
        if not pairs:
            missing += 1
            continue
        early = evaluation.status in (Status.PRUNED, Status.CANCELLED, Status.FAILED)
        found.append(Curve(evaluation.id, evaluation.index, kind, tuple(e for e, _ in pairs),
                           tuple(v for _, v in pairs), evaluation.reason if early else ""))  # fmt: skip
    return RunCurves(tuple(found), missing)
