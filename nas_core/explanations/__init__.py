"""Explanations of a trained candidate: why it predicts what it predicts, for single rows and as a whole.

``candidate`` rebuilds the network from its stored weights and ``pieces`` takes a group apart by features;
``group_shap`` is exact SHAP from the structure, ``sampling`` and ``mixed_shap`` do what is too large for that,
``library_shap`` wraps the ``shap`` package; ``choice`` picks the one that fits; ``attribution`` and ``shapes`` are the
results as data.
"""

from nas_core.explanations.attribution import Attribution, Importance, importance
from nas_core.explanations.base import GOOD, Explainer, default_background
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate
from nas_core.explanations.choice import EXPLAINERS, choose_explainer, explain
from nas_core.explanations.shapes import ShapeFunction, shape_functions

__all__ = [
    "EXPLAINERS",
    "GOOD",
    "Attribution",
    "Explainer",
    "FeatureGroup",
    "Importance",
    "ShapeFunction",
    "TrainedCandidate",
    "choose_explainer",
    "default_background",
    "explain",
    "importance",
    "shape_functions",
]
