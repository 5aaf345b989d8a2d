"""Which interpretability measures suit which kind of data, unless a problem says otherwise."""

from __future__ import annotations

from nas_core.data.signal import Modality
from nas_core.preferences import STRUCTURE_MEASURES

__all__ = ["MEASURED", "OF_SIGNALS", "OF_TABLES", "SEARCHED", "STRUCTURE"]

STRUCTURE = STRUCTURE_MEASURES
OF_TABLES = (*STRUCTURE, "tree_fidelity", "decision_path")
"""What fits beside the training of tables: together about a seventh of it, see tests/bench/measures.py. The measures of
explanations cost more than the training they would stand beside; they are taken of single candidates, when asked for.
"""
OF_SIGNALS = (
    "interaction_sparsity",
    "additivity",
    "operation_economy",
    "local_additive_fidelity",
    "introspectability",
)
MEASURED: dict[Modality, tuple[str, ...]] = {"tabular": OF_TABLES, "image": OF_SIGNALS, "sequence": OF_SIGNALS}
SEARCHED: dict[Modality, tuple[str, ...]] = {
    "tabular": ("feature_parsimony", "interaction_sparsity", "monotone_share"),
    "image": ("interaction_sparsity", "additivity", "operation_economy"),
    "sequence": ("interaction_sparsity", "additivity", "operation_economy"),
}
"""The measures that a search optimises beside performance: with more than four losses nearly all is non-dominated."""
