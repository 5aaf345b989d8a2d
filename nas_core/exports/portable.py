"""A candidate outside of NASight: one module from raw rows to predictions, checked against the candidate itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nas_core.errors import ExportError
from nas_core.exports.source import source_text, written_of
from nas_core.exports.source_tables import features_read

if TYPE_CHECKING:
    import torch

    from nas_core.explanations.base import Candidate
    from nas_core.explanations.candidate import TrainedCandidate
    from nas_core.exports.writing import Written

__all__ = ["CHECKED_ROWS", "Check", "Portable", "predictions_of"]

CHECKED_ROWS = 2_000
SOURCE_TOLERANCE, FILE_TOLERANCE = 1e-5, 1e-4


@dataclass(frozen=True)
class Check:
    """How far the predictions of an exported model are from those of the candidate.

    Attributes:
        difference: The largest one; of probabilities, or in standard deviations of the target over the training rows.
        rows: Validation rows that were compared.
        unit: ``probability`` or ``target_sd``.
        with_: What computed the predictions of the exported model.
    """

    difference: float
    rows: int
    unit: str
    with_: str

    @property
    def words(self) -> str:
        """The result as a sentence without its full stop."""
        of = "" if self.unit == "probability" else " standard deviations of the target"
        told = f"{self.difference:.1g}".replace("e-0", "e-")
        rows = f"{self.rows:,} validation row{'' if self.rows == 1 else 's'}"
        return f"largest difference to NASight on {rows}: {told}{of} ({self.with_})"

    def document(self) -> dict[str, Any]:
        """Return it as JSON-able data."""
        return {
            "largest_difference": self.difference,
            "rows": self.rows,
            "unit": self.unit,
            "computed_with": self.with_,
            "words": self.words,
        }


class Portable:
    """A candidate written out as source text, and that text run: the module all other formats are made from.

    So whatever is checked, is the file a person gets.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.candidate, self.problem = candidate, candidate.problem
        self.written: Written = written_of(candidate)
        self.source = source_text(candidate, self.written)

    @cached_property
    def module(self) -> torch.nn.Module:
        """The module that the source text defines, with its weights."""
        namespace: dict[str, Any] = {"__name__": "nasight_exported", "__file__": "model.py"}
        exec(compile(self.source, "model.py", "exec"), namespace)  # our own text; what people typed is in literals
        model = cast("torch.nn.Module", namespace["Model"]())
        model.load_state_dict(self.weights)
        return model.eval().requires_grad_(False)

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """The state dict of the module: contiguous tensors that share no memory."""
        return {name: value.detach().clone().contiguous() for name, value in self.written.weights.items()}

    @cached_property
    def checked_raw(self) -> np.ndarray:
        """(n, columns) raw validation rows that files are checked on, at most 2,000, evenly spaced."""
        raw = self.problem.valid.raw
        if len(raw) <= CHECKED_ROWS:
            return raw
        return raw[np.linspace(0, len(raw) - 1, CHECKED_ROWS).astype(np.int64)]

    @cached_property
    def expected(self) -> np.ndarray:
        """What the candidate predicts for these rows."""
        return predictions_of(self.candidate, self.checked_raw)

    def input(self, raw: np.ndarray) -> torch.Tensor:
        """Return raw rows (n, columns) as the module takes them."""
        import torch

        signal = self.problem.dataset.signal
        if signal is None:
            used = features_read(cast("TrainedCandidate", self.candidate))
            return torch.tensor(np.asarray(raw, dtype=np.float64)[:, list(used)])
        if signal.vocabulary:
            return torch.tensor(np.nan_to_num(np.asarray(raw, dtype=np.float32)).round().astype(np.int64))
        return torch.tensor(np.asarray(raw, dtype=np.float32).reshape(-1, *signal.shape))

    def compared(self, found: np.ndarray, with_: str, tolerance: float = FILE_TOLERANCE) -> Check:
        """Return how far predictions for the first of :attr:`checked_raw`, or all, are from the candidate's.

        Raises:
            ExportError: Farther than the tolerance: such a file is not handed out.
        """
        gap = np.abs(np.asarray(found, dtype=np.float64) - self.expected[: len(found)])
        regression = self.problem.task == "regression"
        scale = self.problem.target_scale.own_sd if regression else 1.0
        difference = float(gap.max(initial=0.0) / scale) if np.isfinite(gap).all() else float("inf")
        check = Check(difference, len(found), "target_sd" if regression else "probability", with_)
        if not difference <= tolerance:
            raise ExportError(
                f"The exported model does not predict what the candidate does: {check.words}",
                allowed=f"a difference of at most {tolerance:g}",
                fix="export it in another format, and report this with the candidate's JSON",
            )
        return check

    @cached_property
    def check(self) -> Check:
        """How far the source text is from the candidate.

        Raises:
            ExportError: Farther than 1e-5.
        """
        import torch

        from nas_core.training.device import one_thread

        module, rows = self.module, self.input(self.checked_raw)  # tensors made in inference mode cannot be exported
        with torch.inference_mode(), one_thread():
            found = module(rows).numpy()
        return self.compared(found, f"PyTorch {torch.__version__}", SOURCE_TOLERANCE)


def predictions_of(candidate: Candidate, raw: np.ndarray) -> np.ndarray:
    """Return probabilities (n, classes), or predictions (n,) in the unit of the target, of raw rows (n, columns)."""
    problem, outputs = candidate.problem, candidate.predict(raw)
    if problem.task == "regression":
        return problem.target_scale.transform.inverse(outputs[:, 0])
    if problem.C == 1:
        from scipy.special import expit

        return np.concatenate([expit(-outputs), expit(outputs)], axis=1)
    from scipy.special import softmax

    found: np.ndarray = softmax(outputs, axis=1)
    return found
