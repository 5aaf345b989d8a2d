"""Random-control faithfulness: how much more faithful an attribution is than values drawn at random.

Held out of every search: see ``nas_core.audit``.
"""

from __future__ import annotations

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, default_background
from nas_core.explanations.choice import choose_explainer
from nas_core.explanations.gates import Checked, faithfulness
from nas_core.explanations.gates.base import evenly
from nas_core.explanations.gates.repeating import rerun
from nas_core.records import Measurement, derive_seed

__all__ = ["random_control"]

ROWS, BACKGROUND = 10, 50
RESAMPLES = 400


def random_control(
    candidate: Candidate, attribution: Attribution | None = None, *, background: np.ndarray | None = None, seed: int = 0
) -> Measurement:
    """Return the faithfulness correlation of an attribution minus that of random attributions of the same rows.

    Both are Pearson correlations over sets of features between the sum of their values and the change of the output
    when they are taken away, see ``nas_core.explanations.gates.faithfulness``. The value is the mean difference over
    rows, cut to [0, 1]; ``raw`` is the same before it is cut. The interval is the 95 % percentile interval over
    resampled rows.

    Source: Bhatt et al. (2020), arXiv 2005.00631; random attributions as the control: Hooker et al. (2019),
    arXiv 1806.10758.
    Costs: at most 64,000 predictions, and the explanation of ten rows where none is given.

    Args:
        candidate: The network.
        attribution: What to judge; by default that of ten validation rows, by the method that fits the candidate.
        background: Raw rows that stand for absent features; training rows by default.
        seed: Of everything that is drawn.
    """
    explainer = choose_explainer(candidate)
    against = default_background(candidate.problem, BACKGROUND) if background is None else candidate.checked(background)
    if attribution is None:
        valid = candidate.problem.valid
        rows = valid.raw[evenly(len(valid), ROWS)]
        try:
            attribution = rerun(explainer, candidate, rows, against, seed=seed, passes=1)
        except ExplanationError as error:
            return Measurement(reason=f"there is no explanation to judge: {error}")
    if not attribution.values.size:
        return Measurement(reason="the attribution has no rows")
    if not (np.isfinite(attribution.values).all() and np.isfinite(attribution.outputs).all()):
        return Measurement(reason="some of the attributions are not numbers")
    found = faithfulness(Checked(candidate, attribution, against, explainer, {}, seed))
    if not found.rows:
        return Measurement(reason="taking features away does not change the output")
    gains = found.correlations - found.random.mean(0)
    draws = np.random.default_rng(derive_seed("rows", seed)).integers(len(gains), size=(RESAMPLES, len(gains)))
    low, high = np.quantile(gains[draws].mean(1), (0.025, 0.975))
    value, lowest, highest = (float(np.clip(v, 0.0, 1.0)) for v in (gains.mean(), low, high))
    return Measurement(value=value, raw=float(gains.mean()), low=min(value, lowest), high=max(value, highest))
