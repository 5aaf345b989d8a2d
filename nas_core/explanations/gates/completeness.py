"""Whether base and values add up to the output."""

from __future__ import annotations

import numpy as np

from nas_core.explanations.gates.base import Checked, Gate, skipped

__all__ = ["COMPLETE", "completeness"]

COMPLETE = 0.05
"""Largest residual, as a share of the largest distance of an output from the base, that is still called complete: the
loosest tolerance of the axiom tests, that of integrated gradients on networks with kinks (0.05 relative)."""
ERRORS = 3.0  # standard errors that sampled values may be off beside: methods that are complete on average only

NAME, LABEL = "completeness", "Adds up"


def completeness(checked: Checked) -> Gate:
    """Return whether output − base − Σφ is nothing beside the outputs, for methods that claim it.

    The value is max |output − base − Σφ| / max |output − base| over the rows and outputs; what three standard errors of
    sampled values explain is not counted.

    Source: the completeness axiom, Sundararajan et al. (2017), arXiv 1703.01365; efficiency, Shapley (1953).
    Costs: nothing.
    """
    attribution = checked.attribution
    if not attribution.additive:
        return skipped(NAME, LABEL, "The values of this method are not meant to add up to the output.")
    residuals = np.abs(attribution.residuals)
    if attribution.errors is not None:
        noise = np.sqrt(np.square(attribution.errors).sum(1))
        residuals = np.maximum(0.0, residuals - ERRORS * noise)
    scale = max(float(np.abs(attribution.outputs - attribution.base).max()), attribution.scale)
    residual = float(residuals.max())
    rounding = 1e-9 * (1 + float(np.abs(attribution.base).max()))
    if scale <= rounding:
        ok, share = residual <= rounding, 0.0 if residual <= rounding else float("inf")
    else:
        share = residual / scale
        ok = share <= COMPLETE
    if ok:
        missing = "nothing is missing" if share < 1e-6 else f"at most {share:.1%} of its largest change is missing"
        words = f"Base and values add up to the output: {missing}."
    else:
        words = f"Base and values miss the output by {share:.0%} of its largest change, {COMPLETE:.0%} is allowed."
    return Gate(NAME, LABEL, share if np.isfinite(share) else None, COMPLETE, ok, words)
