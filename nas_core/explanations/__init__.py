"""Explanations of a trained candidate: why it predicts what it predicts, for single rows and as a whole.

``candidate`` rebuilds the network from its stored weights and ``pieces`` takes a group apart by features;
``group_shap`` is exact SHAP from the structure, ``sampling`` and ``mixed_shap`` do what is too large for that,
``library_shap`` and ``library_torch`` wrap the ``shap`` package. Methods that differentiate see any candidate as a
``torch_view``: ``gradient_methods``, ``lrp``; ``lime`` and ``occlusion`` take features away (``coalitions``).
Networks of images and sequences are ``signal_candidate``, explained by ``cell_shap``, ``activation_maps`` and
``attention``; ``layer_activity`` looks into them. ``choice`` picks the explainer
that fits; ``attribution`` and ``shapes`` are the results as data.

What if: ``what_if`` turns features as knobs and tells how far a row is from the data, ``counterfactual`` finds the
nearest row and the fewest changes that are predicted otherwise, ``occluded`` takes places of a signal away.

Of a candidate as a whole: ``curves`` (accumulated local effects, partial dependence, ICE) and ``surfaces`` (what two
features do together), on the rows that ``moves`` moves; ``permutation`` importance in the problem's metric beside what
the data say by themselves (``associations``); a tree and a forest that imitate it (``surrogates``).
``gates`` are checks that an attribution has to pass before it is believed, ``trust`` asks them all.
``diagnosis`` says whether a network is healthy inside: its gradients, its units, its weights.
"""

from nas_core.explanations.associations import Associations, Surprise, surprises, target_associations
from nas_core.explanations.attribution import Attribution, Importance, importance
from nas_core.explanations.base import GOOD, Candidate, Explainer, default_background
from nas_core.explanations.candidate import FeatureGroup, TrainedCandidate
from nas_core.explanations.choice import EXPLAINERS, choose_explainer, explain, next_explainer
from nas_core.explanations.curves import CurveMethod, EffectCurve, IceLines, effect_curve, effect_curves, ice_lines
from nas_core.explanations.diagnosis import Diagnosis, diagnose
from nas_core.explanations.layer_activity import LayerActivity, layer_activity
from nas_core.explanations.permutation import (
    PermutationImportance,
    Score,
    Shared,
    permutation_importance,
    permutation_rounds,
    shared_features,
)
from nas_core.explanations.shapes import ShapeFunction, shape_functions
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.explanations.surfaces import InteractionSurface, interaction_partners, interaction_surface
from nas_core.explanations.surrogate_forest import ForestSurrogate, forest_surrogate
from nas_core.explanations.surrogate_rules import Condition, Rule
from nas_core.explanations.surrogates import DEPTHS, TreeNode, TreeSurrogate, tree_surrogate
from nas_core.explanations.trust import Gate, Trust, check_attribution

__all__ = [
    "DEPTHS",
    "EXPLAINERS",
    "GOOD",
    "Associations",
    "Attribution",
    "Candidate",
    "Condition",
    "CurveMethod",
    "Diagnosis",
    "EffectCurve",
    "Explainer",
    "FeatureGroup",
    "ForestSurrogate",
    "Gate",
    "IceLines",
    "Importance",
    "InteractionSurface",
    "LayerActivity",
    "PermutationImportance",
    "Rule",
    "Score",
    "ShapeFunction",
    "Shared",
    "SignalCandidate",
    "Surprise",
    "TrainedCandidate",
    "TreeNode",
    "TreeSurrogate",
    "Trust",
    "check_attribution",
    "choose_explainer",
    "default_background",
    "diagnose",
    "effect_curve",
    "effect_curves",
    "explain",
    "forest_surrogate",
    "ice_lines",
    "importance",
    "interaction_partners",
    "interaction_surface",
    "layer_activity",
    "next_explainer",
    "permutation_importance",
    "permutation_rounds",
    "shape_functions",
    "shared_features",
    "surprises",
    "target_associations",
    "tree_surrogate",
]
