"""The explainers by name, and which one fits a candidate. A new explainer is one file and one line here."""

from __future__ import annotations

from typing import Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.explanations.activation_maps import ClassActivationMaps, GradCam
from nas_core.explanations.attention import AttentionWeights
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, Explainer
from nas_core.explanations.cell_shap import CellShap, Occlusion
from nas_core.explanations.group_shap import GroupShap
from nas_core.explanations.library_shap import ShapExact, ShapKernel, ShapPermutation
from nas_core.explanations.mixed_shap import MixedShap
from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = ["EXPLAINERS", "choose_explainer", "explain"]

EXPLAINERS: dict[str, Explainer[Any]] = {
    e.name: e
    for e in (
        GroupShap(),
        MixedShap(),
        ShapExact(),
        ShapPermutation(),
        ShapKernel(),
        CellShap(),
        ClassActivationMaps(),
        GradCam(),
        Occlusion(),
        AttentionWeights(),
    )
}


def choose_explainer(candidate: Candidate) -> Explainer[Any]:
    """Return exact group SHAP where every group is small, else the mixture of exact and sampled groups.

    For images and sequences it is the SHAP of their cells.
    """
    if isinstance(candidate, SignalCandidate):
        return EXPLAINERS["cell_shap"]
    exact = EXPLAINERS["group_shap"]
    return exact if exact.applies_to(candidate).ok else EXPLAINERS["mixed_shap"]


def explain(
    candidate: Candidate,
    rows: np.ndarray,
    background: np.ndarray | None = None,
    *,
    method: str | None = None,
    seed: int = 0,
    seconds: float | None = None,
) -> Attribution:
    """Return the attribution of raw ``rows`` (N, P), by ``method`` or by the one that fits the candidate best.

    Args:
        candidate: What to explain.
        rows: Raw rows, NaN = missing or padding.
        background: Up to 100 raw rows that stand for absent features; by default training rows.
        method: Name of an explainer; chosen from the candidate's groups when None.
        seed: For the methods that sample.
        seconds: Stop sampling about then, instead of when the values are good or dear; depends on the machine.

    Raises:
        SettingsError: No such method.
        ExplanationError: The method does not apply, or rows or background have the wrong shape.
    """
    if method is None:
        return choose_explainer(candidate).explain(candidate, rows, background, seed=seed, seconds=seconds)
    if method not in EXPLAINERS:
        raise SettingsError(f"There is no explainer {method!r}", allowed=", ".join(EXPLAINERS), fix="choose one")
    return EXPLAINERS[method].explain(candidate, rows, background, seed=seed, seconds=seconds)
