"""Any function that predicts, asked safely: what it returns is checked, and batched to bound memory.

The first answer decides what the function is; what is wrong with it is an error that says how to fix it. Later answers
are about rows that a measure made up: what is wrong with them is the reason why that measure has no value.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import SettingsError
from nas_core.interpretability.given_rows import Restore

if TYPE_CHECKING:
    import torch

__all__ = ["BlackBox", "Edit", "Unusable", "opened", "steady"]

# Numbers handed to the function at once: some tens of megabytes.
NUMBERS = 4_000_000
# Answers to the same row may differ by this share of the spread of all answers: rounding in single precision.
AGREE = 1e-4
Edit = tuple[Sequence[int], np.ndarray]
"""Features and what stands in their place, (n, features)."""


class Unusable(Exception):  # noqa: N818 - not an error of the user's: the words are the reason of a measure
    """The function has no usable answer to rows that a measure asks about; the message says why."""


@dataclass(frozen=True)
class BlackBox:
    """A function of rows with P features.

    Attributes:
        function: From what ``restore`` makes of rows to outputs.
        restore: From numbers (m, P) to what the function reads.
        outputs: Number of outputs C; two logits of two classes are one, their difference.
        given: Number of outputs that the function itself gives.
        precision: Relative rounding of an output.
        module: The function as a network of torch, where it is one.
    """

    function: Callable[[Any], Any]
    restore: Restore
    outputs: int
    given: int
    precision: float
    module: torch.nn.Module | None = None

    def ask(self, X: np.ndarray) -> np.ndarray:
        """Return the outputs (m, C) float64 of rows (m, P), which the function may spoil.

        Raises:
            Unusable: It raises, gives another shape than before, or numbers that are not finite.
        """
        step = max(1, NUMBERS // X.shape[1])
        return np.concatenate([self._part(X[at : at + step]) for at in range(0, len(X), step)])

    def edited(self, X: np.ndarray, edits: Sequence[Edit]) -> np.ndarray:
        """Return the outputs (edits, n, C) of the rows ``X`` (n, P) after each edit alone."""
        found = np.empty((len(edits), len(X), self.outputs))
        step = max(1, NUMBERS // X.size)
        for at in range(0, len(edits), step):
            part = edits[at : at + step]
            rows = np.repeat(X[None], len(part), axis=0)
            for changed, (features, values) in zip(rows, part):
                changed[:, list(features)] = values
            found[at : at + len(part)] = self.ask(rows.reshape(-1, X.shape[1])).reshape(len(part), len(X), -1)
        return found

    def _part(self, X: np.ndarray) -> np.ndarray:
        try:
            told = np.asarray(self.function(self.restore(X)))
        except Exception as error:
            raise Unusable(f"it raises {type(error).__name__} for resampled rows: {error}") from error
        shaped = told.reshape(-1, 1) if told.ndim == 1 else told
        if shaped.shape != (len(X), self.given):
            raise Unusable(f"it returns an array of shape {told.shape} for {len(X)} rows")
        outputs = shaped.astype(np.float64)
        if not np.isfinite(outputs).all():
            raise Unusable("its outputs are not finite numbers for resampled rows")
        return outputs[:, 1:] - outputs[:, :1] if self.given != self.outputs else outputs


def opened(predict: Any, X: np.ndarray, restore: Restore, task: str) -> tuple[BlackBox, np.ndarray]:
    """Return the function and its outputs (N, C) for the rows ``X`` (N, P); they may be NaN or infinite.

    Raises:
        SettingsError: It cannot be called, raises, or returns something else than outputs or logits.
    """
    module = _module(predict)
    function = predict if module is None else _module_function(module)
    if not callable(function):
        raise SettingsError(
            f"{type(predict).__name__} is not a function",
            allowed="a function from rows (N, P) to outputs (N,) or logits (N, C), or a network of torch",
            fix="pass model.predict for a regression, model.decision_function for a classification",
        )
    step = max(1, NUMBERS // X.shape[1])
    try:
        parts = [np.asarray(function(restore(X[at : at + step].copy()))) for at in range(0, len(X), step)]
        told = np.concatenate([np.atleast_1d(part) for part in parts])
    except Exception as error:
        raise SettingsError(
            f"The function raises {type(error).__name__} for rows of {X.shape[1]} features: {error}",
            allowed="any number of rows at once",
            fix="try predict(X[:5]) alone",
        ) from error
    _check_answer(told, len(X), task)
    outputs = (told.reshape(-1, 1) if told.ndim == 1 else told).astype(np.float64)
    given = outputs.shape[1]
    precision = float(np.finfo(told.dtype).eps) if told.dtype.kind == "f" else float(np.finfo(np.float64).eps)
    box = BlackBox(function, restore, 1 if given == 2 else given, given, precision, module)
    return box, outputs[:, 1:] - outputs[:, :1] if given == 2 else outputs


def steady(box: BlackBox, X: np.ndarray, outputs: np.ndarray, most: int = 50) -> bool:
    """Return whether some of the rows ``X`` (n, P) have the same ``outputs`` (n, C) again, asked in another company.

    Random answers (dropout that is still on) and answers that depend on the other rows would look like interactions.
    """
    chosen = np.linspace(len(X) - 1, 0, min(most, len(X))).astype(int)
    spread = float(outputs.std()) + 10 * box.precision * float(np.abs(outputs).max())
    return bool(np.abs(box.ask(X[chosen]) - outputs[chosen]).max() <= AGREE * spread + 1e-300)


def _check_answer(told: np.ndarray, rows: int, task: str) -> None:
    """Raise SettingsError where the first answer is not outputs or logits."""
    if told.dtype.kind not in "biuf":
        raise SettingsError(
            f"The function returns {told.dtype}, not numbers",
            allowed="outputs of a regression, or logits of a classification",
            fix="pass model.decision_function instead of a function that names classes",
        )
    if told.ndim not in (1, 2) or len(told) != rows or told.size == 0:
        raise SettingsError(
            f"The function returns an array of shape {told.shape} for {rows} rows",
            allowed=f"({rows},), ({rows}, 1) or ({rows}, C): one output or one logit per class for every row",
            fix="return one row of outputs for every row",
        )
    outputs = told.shape[1] if told.ndim == 2 else 1
    if task == "regression" and outputs > 1:
        raise SettingsError(
            f"The function returns {outputs} outputs for a regression",
            allowed="one output; several are the logits of a classification",
            fix='pass task="classification", or measure one output at a time: lambda X: predict(X)[:, 0]',
        )
    if outputs > 1 and told.min() >= 0 and np.allclose(told.sum(1), 1, atol=1e-5):
        raise SettingsError(
            "The function returns probabilities, in which even a logistic regression has interactions",
            allowed="logits",
            fix="pass lambda X: np.log(np.clip(model.predict_proba(X), 1e-6, 1))",
        )


def _module(predict: Any) -> torch.nn.Module | None:
    """Return ``predict`` where it is a network of torch; torch is not loaded to find out."""
    if "torch" not in sys.modules:
        return None
    import torch

    return predict if isinstance(predict, torch.nn.Module) else None


def _module_function(module: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """Return a network of torch as a function of arrays, in eval mode and without gradients."""
    import torch

    first = next((p for p in module.parameters()), None)

    def function(X: np.ndarray) -> np.ndarray:
        modes = [(m, m.training) for m in module.modules()]
        module.eval()
        try:
            with torch.no_grad():
                rows = torch.as_tensor(X, dtype=torch.float32) if first is None else torch.as_tensor(X).to(first)
                return np.asarray(module(rows).detach().cpu().numpy())
        finally:
            for part, training in modes:
                part.training = training

    return function
