"""The measures by name. A new measure is one file and one line here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nas_core.data.measured import OF_TABLES
from nas_core.errors import SettingsError
from nas_core.interpretability.base import Measure, MeasureContext
from nas_core.interpretability.effect_measures import Additivity, MainEffectSimplicity
from nas_core.interpretability.explanation_measures import (
    AttributionSparsity,
    ExplainerAgreement,
    ExplanationStability,
)
from nas_core.interpretability.introspectability import Introspectability
from nas_core.interpretability.local_fidelity import LocalAdditiveFidelity
from nas_core.interpretability.structure import FeatureParsimony, InteractionSparsity, MonotoneShare, OperationEconomy
from nas_core.interpretability.tree_measures import DecisionPath, TreeFidelity
from nas_core.records import Measurement

__all__ = ["DEFAULT_MEASURES", "MEASURES", "measure_named", "measure_pack", "undefined"]

MEASURES: dict[str, Measure] = {
    m.name: m
    for m in (
        FeatureParsimony(),
        InteractionSparsity(),
        Additivity(),
        MainEffectSimplicity(),
        MonotoneShare(),
        OperationEconomy(),
        TreeFidelity(),
        DecisionPath(),
        LocalAdditiveFidelity(),
        AttributionSparsity(),
        ExplainerAgreement(),
        ExplanationStability(),
        Introspectability(),
    )
}
DEFAULT_MEASURES: tuple[str, ...] = OF_TABLES
"""The measures of tables unless a problem says otherwise; see ``nas_core.data.measured``."""


def measure_named(name: str) -> Measure:
    """Return the measure called ``name``.

    Raises:
        SettingsError: No such measure.
    """
    try:
        return MEASURES[name]
    except KeyError:
        raise SettingsError(
            f"There is no measure {name!r}", allowed=", ".join(MEASURES), fix="choose from these"
        ) from None


def measure_pack(context: MeasureContext, names: Iterable[str] = DEFAULT_MEASURES) -> list[dict[str, Measurement]]:
    """Return for each of the K candidates its measurements by name; one that does not apply has no value but a reason.

    Raises:
        SettingsError: No such measure.
    """
    columns: dict[str, Sequence[Measurement]] = {}
    for measure in [measure_named(name) for name in names]:
        verdict = measure.applies_to(context)
        columns[measure.name] = (
            measure.score(context) if verdict.ok else [Measurement(reason=verdict.reason)] * len(context.facts)
        )
    return [{name: column[k] for name, column in columns.items()} for k in range(len(context.facts))]


def undefined(reason: str, names: Iterable[str] = DEFAULT_MEASURES) -> dict[str, Measurement]:
    """Return measurements without a value: the interpretability of a model no better than a constant is undefined."""
    return {measure_named(name).name: Measurement(reason=reason) for name in names}
