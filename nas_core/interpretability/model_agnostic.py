"""The measures on any model that predicts: a function from rows to outputs is enough.

    from nas_core import measure

    found = measure(model.decision_function, X, task="classification", y=y)
    found["additivity"].value, found["additivity"].raw, found["additivity"].low

Nothing is known of a function but what it answers, so what a search reads off the architecture (features used, pairs
that act together) is found by resampling here, and what cannot be found so has a reason instead of a value. What is
known by construction can be said (``facts=``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.black_box import BlackBox, Unusable, opened, steady
from nas_core.interpretability.dependence import centred
from nas_core.interpretability.effects import VARIANCE_FLOOR
from nas_core.interpretability.function_measures import NAMES, MeasuredFunction
from nas_core.interpretability.given_rows import read_rows
from nas_core.interpretability.model_facts import ModelFacts, known_facts
from nas_core.interpretability.skill import no_skill, read_target
from nas_core.interpretability.standard_order import chosen_rows, standard_order
from nas_core.records import Measurement

if TYPE_CHECKING:
    from nas_core.spaces.family import StructuralFacts

__all__ = ["ModelFacts", "measure"]

TASKS = ("regression", "classification")
ONE_ROW = "there is a single row, so nothing varies; measuring needs several"
NOT_FINITE = "its outputs are not finite numbers"
UNSTEADY = (
    "it gives other outputs when it is asked again, or beside other rows, so what it depends on cannot be told; "
    "switch randomness such as dropout off"
)
CONSTANT = (
    "its output is the same for all rows: a constant is perfectly simple and useless, so its interpretability is "
    "undefined"
)
# What the structure of a constant is, whatever it is worth.
RAW_OF_CONSTANT = ("feature_parsimony", "interaction_sparsity", "additivity", "main_effect_simplicity")


def measure(
    predict: Any,
    X: Any,
    *,
    task: str = "regression",
    seed: int = 0,
    y: Any = None,
    categorical: Sequence[int | str | bool] | None = None,
    names: Sequence[str] | None = None,
    facts: ModelFacts | StructuralFacts | None = None,
    measures: Iterable[str] | None = None,
    rows: int = 2000,
) -> dict[str, Measurement]:
    """Return the interpretability measures of any fitted model by name.

    Each has ``.value`` (a score in [0, 1], 1 = interpretable), ``.raw`` (NF, NI, IAS, MEC, R² …), the 95 % interval
    ``.low`` to ``.high`` where it is an estimate, and ``.reason`` where it does not apply. A constant is undefined, but
    its ``raw`` structure is given. The same rows, function and seed give the same numbers; so do shuffled rows,
    features in other places, and features in other units, see :mod:`nas_core.interpretability.standard_order`.

    Source: the measures are those of ``nas_core.MEASURES``; features used and pairs are found by resampling, see
    :mod:`nas_core.interpretability.dependence`.
    Differs: shares of features are KernelSHAP's, gradients only of networks of torch; ``monotone_share`` has no value,
    for nothing is certified by construction, but the measured monotony as ``graded``.
    Costs: about 100 predictions of the rows for what is not used, 2 + 4 per feature, and 400,000 for the explanations
    of rows. Too many features for a measure are a reason, not a wait.

    Args:
        predict: From rows (N, P) to outputs (N,) of a regression or logits (N,), (N, 1) or (N, C) of a classification:
            a function, or a network of torch. Where ``X`` is a data frame it is given data frames.
        X: Rows to look at, better held out: an array, a list of rows, or a data frame; without missing values.
        task: ``regression`` or ``classification``.
        seed: Of the choice of rows and of everything that is resampled.
        y: The target of the rows. Where the model has no skill for it, nothing is defined.
        categorical: Which columns hold codes without an order: numbers, names or P truth values.
        names: P names of the features, for messages.
        facts: What is known by construction; it takes the place of what would be estimated.
        measures: Which measures to take; all when None.
        rows: At most so many rows are looked at.

    Raises:
        DataError: The rows or the target cannot be used.
        SettingsError: An option does not exist or does not fit, or the function does not return outputs or logits.
    """
    if task not in TASKS:
        raise SettingsError(f"There is no task {task!r}", allowed=", ".join(TASKS), fix="choose one of them")
    if rows < 1:
        raise SettingsError(f"rows is {rows}", allowed="1 or more", fix="leave it out")
    wanted = _wanted(measures)
    given = read_rows(X, categorical=categorical, names=names)
    known = known_facts(facts, given.values.shape[1])
    chosen = chosen_rows(given.values, given.categorical, rows, seed)
    values, classification = given.values[chosen], task == "classification"
    box, outputs = opened(predict, values, given.restore, task)
    target = None
    if y is not None:
        target = read_target(y, len(given.values), box.given, classification=classification)[chosen]
    if undefined := _undefined(wanted, box, values, outputs):
        return undefined
    outputs = centred(outputs)
    order = standard_order(values, outputs, given.categorical)
    values, outputs = values[order.rows], outputs[order.rows]
    if target is not None and (reason := no_skill(target[order.rows], outputs, classification=classification)):
        return {name: Measurement(reason=reason) for name in wanted}
    function = MeasuredFunction(box, values, outputs, order, given.categorical, known, classification, seed)
    return {name: function.measurement(name) for name in wanted}


def _wanted(measures: Iterable[str] | None) -> tuple[str, ...]:
    """Return the names of the measures to take, in their order."""
    if measures is None:
        return NAMES
    asked = [measures] if isinstance(measures, str) else list(measures)
    for name in asked:
        if name not in NAMES:
            raise SettingsError(f"There is no measure {name!r}", allowed=", ".join(NAMES), fix="choose from these")
    return tuple(name for name in NAMES if name in asked)


def _undefined(wanted: Sequence[str], box: BlackBox, values: np.ndarray, outputs: np.ndarray) -> dict[str, Measurement]:
    """Return measurements without a value where the outputs (N, C) of the rows (N, P) allow none; else nothing."""
    if len(values) < 2:
        reason = ONE_ROW
    elif not np.isfinite(outputs).all():
        reason = NOT_FINITE
    elif _constant(centred(outputs)):
        return {n: Measurement(raw=0.0 if n in RAW_OF_CONSTANT else None, reason=CONSTANT) for n in wanted}
    else:
        try:
            reason = "" if steady(box, values, outputs) else UNSTEADY
        except Unusable as words:
            reason = str(words)
    return {name: Measurement(reason=reason) for name in wanted} if reason else {}


def _constant(outputs: np.ndarray) -> bool:
    """Return whether outputs (N, C), centred over several, vary by no more than rounding."""
    mean = outputs.mean(0)
    variance = float(((outputs - mean) ** 2).sum(1).mean())
    return variance < VARIANCE_FLOOR * (1 + float((mean**2).sum()))
