"""Explanations of a trained candidate: why it predicts what it predicts, for single rows and as a whole.

``candidate`` rebuilds the network from its stored weights and ``pieces`` takes a group apart by features;
``group_shap`` is exact SHAP from the structure, ``sampling`` and ``mixed_shap`` do what is too large for that,
``library_shap`` wraps the ``shap`` package. Networks of images and sequences are ``signal_candidate``, explained by
``cell_shap``, ``activation_maps`` and ``attention``; ``layer_activity`` looks into them. ``choice`` picks the explainer
that fits; ``attribution`` and ``shapes`` are the results as data.
"""

from nas_core.explanations.attribution import Attribution, Importance, importance
from nas_core.explanations.base import GOOD, Candidate, Explainer, default_background
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate
from nas_core.explanations.choice import EXPLAINERS, choose_explainer, explain
from nas_core.explanations.layer_activity import LayerActivity, layer_activity
from nas_core.explanations.shapes import ShapeFunction, shape_functions
from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = [
    "EXPLAINERS",
    "GOOD",
    "Attribution",
    "Candidate",
    "Explainer",
    "FeatureGroup",
    "Importance",
    "LayerActivity",
    "ShapeFunction",
    "SignalCandidate",
    "TrainedCandidate",
    "choose_explainer",
    "default_background",
    "explain",
    "importance",
    "layer_activity",
    "shape_functions",
]
