"""The explainers by name, and which one fits a candidate. A new explainer is one file and one line here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.activation_maps import ClassActivationMaps, GradCam
from nas_core.explanations.attention import AttentionWeights
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, Explainer
from nas_core.explanations.cell_shap import CellShap
from nas_core.explanations.gradient_methods import DeepLift, InputTimesGradient, IntegratedGradients, Saliency
from nas_core.explanations.group_shap import GroupShap
from nas_core.explanations.library_shap import ShapExact, ShapKernel, ShapPermutation
from nas_core.explanations.library_torch import ShapDeep, ShapGradient
from nas_core.explanations.lime import Lime
from nas_core.explanations.lrp import LayerwiseRelevance
from nas_core.explanations.mixed_shap import MixedShap
from nas_core.explanations.occlusion import Occlusion
from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = ["EXPLAINERS", "choose_explainer", "explain", "next_explainer"]

EXPLAINERS: dict[str, Explainer[Any]] = {
    e.name: e
    for e in (
        GroupShap(),
        MixedShap(),
        CellShap(),
        ShapExact(),
        ShapPermutation(),
        ShapKernel(),
        ShapDeep(),
        ShapGradient(),
        IntegratedGradients(),
        DeepLift(),
        LayerwiseRelevance(),
        Saliency(),
        InputTimesGradient(),
        Lime(),
        Occlusion(),
        ClassActivationMaps(),
        GradCam(),
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


def next_explainer(candidate: Candidate, method: str) -> tuple[Explainer[Any], str]:
    """Return ``method`` where it applies, else the nearest that does, and why not the one asked for (else empty).

    Raises:
        SettingsError: No such method.
    """
    asked = _known(method)
    verdict = asked.applies_to(candidate)
    if verdict.ok:
        return asked, ""
    near = (EXPLAINERS[name] for name in asked.relatives)
    found = next((e for e in near if e.applies_to(candidate).ok), choose_explainer(candidate))
    return found, f"{asked.label} does not apply: {verdict.reason}"


def explain(
    candidate: Candidate,
    rows: np.ndarray,
    background: np.ndarray | None = None,
    *,
    method: str | None = None,
    seed: int = 0,
    seconds: float | None = None,
    fallback: bool = False,
) -> Attribution:
    """Return the attribution of raw ``rows`` (N, P), by ``method`` or by the one that fits the candidate best.

    Args:
        candidate: What to explain.
        rows: Raw rows, NaN = missing or padding.
        background: Up to 100 raw rows that stand for absent features; by default training rows.
        method: Name of an explainer; chosen from the candidate's groups when None.
        seed: For the methods that sample.
        seconds: Stop sampling about then, instead of when the values are good or dear; depends on the machine.
        fallback: Use the nearest method that applies where ``method`` does not, or the one that fits best where its
            answer is not finite, and say so in :attr:`Attribution.fallback`, instead of raising.

    Raises:
        SettingsError: No such method.
        ExplanationError: The method does not apply or has no finite answer, or rows or background have the wrong shape.
    """
    explainer = choose_explainer(candidate) if method is None else _known(method)
    why_not = ""
    if method is not None and fallback:
        explainer, why_not = next_explainer(candidate, method)
    try:
        found = explainer.explain(candidate, rows, background, seed=seed, seconds=seconds)
    except ExplanationError as failed:  # what comes out may not be finite
        own = choose_explainer(candidate)
        if not fallback or explainer is own:
            raise
        found, why_not = own.explain(candidate, rows, background, seed=seed, seconds=seconds), failed.given
    return replace(found, fallback=why_not) if why_not else found


def _known(method: str) -> Explainer[Any]:
    """Return the explainer of that name, or raise."""
    if method not in EXPLAINERS:
        raise SettingsError(f"There is no explainer {method!r}", allowed=", ".join(EXPLAINERS), fix="choose one")
    return EXPLAINERS[method]
