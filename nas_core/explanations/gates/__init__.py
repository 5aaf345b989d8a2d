"""Checks that an attribution has to pass before it is believed: gates, shown beside it and never maximised.

They disagree with each other, and any of them can be gamed by a method that aims at it; as objectives they would
select for that. So no gate is a measure, an objective or a guard of a search: nothing in ``evaluation`` or ``search``
may import this folder, and a test holds that. ``completeness``, ``randomisation`` (eMPRT), ``faithfulness``,
``interactions`` (IAS and local R²) and ``repetition`` are the gates, ``base`` is what they are given, ``mixing`` and
``repeating`` are what they share. ``nas_core.explanations.trust`` asks them all.

Source: Tomsett et al. (2020), arXiv 1912.01451; Hedström et al. (2023), arXiv 2401.06465; Bilodeau et al. (2024),
arXiv 2212.11870.
"""

from nas_core.explanations.gates.base import Checked, Gate
from nas_core.explanations.gates.completeness import COMPLETE, completeness
from nas_core.explanations.gates.faithfulness import PERCENTILE, Faithfulness, faithfulness, faithfulness_gate
from nas_core.explanations.gates.interactions import LOCAL_FIT, WEAK, additivity_gate, local_fit_gate
from nas_core.explanations.gates.randomisation import SAME, entropies, randomised, rise_gate
from nas_core.explanations.gates.repetition import STEADY, repetition_gate

__all__ = [
    "COMPLETE",
    "LOCAL_FIT",
    "PERCENTILE",
    "SAME",
    "STEADY",
    "WEAK",
    "Checked",
    "Faithfulness",
    "Gate",
    "additivity_gate",
    "completeness",
    "entropies",
    "faithfulness",
    "faithfulness_gate",
    "local_fit_gate",
    "randomised",
    "repetition_gate",
    "rise_gate",
]
