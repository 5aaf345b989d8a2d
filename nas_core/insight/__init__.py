"""Explaining the search: which choices matter for which objective, by a surrogate that says how well it predicts.

``facets`` reads of every candidate what was decided, question by question ("which features", "depth"); ``material``
gathers them for the candidates that count, with the ``aims``, the quantities whose variation is explained. ``forest``
is the surrogate: small forests on bootstrap samples of the candidates, judged by candidates they have not seen.
``marginals`` integrates its trees exactly, ``importance`` makes shares with intervals of that (functional analysis of
variance, and SHAP beside it), ``effects`` what single options do, alone and in pairs. ``ablation`` walks from one
candidate to another, ``mixing`` makes the architectures between them, ``embedding`` lays all candidates out on a plane.
``document`` is everything as plain data.
"""

from nas_core.insight.ablation import AblationPath, Step, ablation_path
from nas_core.insight.aims import Aim, aim_names, aim_of
from nas_core.insight.document import insight_document
from nas_core.insight.effects import Effect, PairMap, effect_of, pair_map
from nas_core.insight.embedding import Embedding, embedding_of
from nas_core.insight.facets import Facet, facets_of
from nas_core.insight.forest import Forest, Reliability
from nas_core.insight.importance import Importance, Pair, importance_of, pairs_of
from nas_core.insight.material import FEWEST, Material, gather

__all__ = [
    "FEWEST",
    "AblationPath",
    "Aim",
    "Effect",
    "Embedding",
    "Facet",
    "Forest",
    "Importance",
    "Material",
    "Pair",
    "PairMap",
    "Reliability",
    "Step",
    "ablation_path",
    "aim_names",
    "aim_of",
    "effect_of",
    "embedding_of",
    "facets_of",
    "gather",
    "importance_of",
    "insight_document",
    "pair_map",
    "pairs_of",
]
