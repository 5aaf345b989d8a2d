"""What an explainer is, and the background rows an explanation is measured against."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar, cast

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import Verdict, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["GOOD", "MAX_BACKGROUND", "Candidate", "Explainer", "Shares", "default_background"]

Candidate = TrainedCandidate | SignalCandidate
Kind = TypeVar("Kind", bound=TrainedCandidate | SignalCandidate)

MAX_BACKGROUND = 100
GOOD = 0.01  # of the largest value: as closely as a picture can be read
PASSES = 5_000_000


@dataclass(frozen=True)
class Shares:
    """What a method found so far.

    Attributes:
        values: (N, P, C) φ.
        errors: (N, P, C) standard errors of sampled values, 0 where exact; None when the method does not tell.
        passes: Mixtures of rows that were sampled for them.
        maps: (N, C, height, width) the same at every place of a signal, where the method tells.
        base: (C,) the output's bias, where the values are counted from it and not from the mean over the background.
        fit: (N, C) held-out R² of the simple model that the values are weights of.
    """

    values: np.ndarray
    errors: np.ndarray | None = None
    passes: int = 0
    maps: np.ndarray | None = None
    base: np.ndarray | None = None
    fit: np.ndarray | None = None


def default_background(problem: Problem, rows: int = MAX_BACKGROUND) -> np.ndarray:
    """Return raw training rows (at most ``rows``, P or columns), the same for every candidate of the problem."""
    raw = problem.train.raw
    if len(raw) <= rows:
        return raw
    rng = np.random.default_rng(derive_seed("background", problem.spec.split_seed))
    return raw[np.sort(rng.choice(len(raw), rows, replace=False))]


class Explainer(ABC, Generic[Kind]):
    """A way to attribute the outputs of a candidate to its features.

    A new explainer is one class, one line in ``choice.py`` and one line in the contract suite.

    Attributes:
        explains: The kinds of candidates it is for: networks on tables, on signals, or both.
        additive: Whether base and values add up to the output, whatever the network.
        tolerance: Share of the largest value by which they may miss it, where a sum stands for an integral.
        unit: What its values are: in the unit of the output, shares, or slopes.
        sampled: Whether later values are better than the first.
        per_cell, per_output, per_set: Predictions that the first answer takes for each explained and background row,
            for every feature used, every output and every set of features; 0 where the background does not matter.
        by_group: Whether it walks the coalitions inside each group, on the group's own network, instead.
        relatives: Names of the methods that answer most nearly the same question, for where this one does not apply.
    """

    name: str
    label: str
    explains: type[Kind] | tuple[type[TrainedCandidate], type[SignalCandidate]]
    additive: ClassVar[bool] = True
    tolerance: ClassVar[float] = 1e-3
    unit: ClassVar[Literal["output", "share", "slope"]] = "output"
    sampled: ClassVar[bool] = False
    per_cell: ClassVar[int] = 0
    per_output: ClassVar[int] = 0
    per_set: ClassVar[int] = 0
    by_group: ClassVar[bool] = False
    relatives: ClassVar[tuple[str, ...]] = ()

    @property
    def description(self) -> str:
        """The docstring of the method: what it is, its source, its cost."""
        return inspect.cleandoc(type(self).__doc__ or "")

    def predictions(self, candidate: Candidate) -> int:
        """Return how many predictions the first answer takes for each explained and background row, 0 = next to none.

        A gradient counts as two.
        """
        used = len(candidate.used)
        sets = self.per_set * 2**used if self.per_set else 0
        return self.per_cell * used + self.per_output * candidate.outputs + sets

    def applies_to(self, candidate: Candidate) -> Verdict:
        """Return whether this candidate can be explained this way, and why or why not."""
        if not isinstance(candidate, self.explains):
            read = candidate.problem.dataset.modality
            own = "images and sequences" if read == "tabular" else "tables"
            return Verdict(ok=False, reason=f"it explains networks on {own}, this one reads {read} data")
        return self.fits(cast(Kind, candidate))

    @abstractmethod
    def fits(self, candidate: Kind) -> Verdict:
        """Return whether a candidate of this kind can be explained this way, and why or why not."""

    @abstractmethod
    def shares(self, candidate: Kind, rows: np.ndarray, background: np.ndarray, *, seed: int) -> Iterator[Shares]:
        """Yield φ of raw rows (N, P) against background rows (B, P): once, or better and better ones."""

    def refine(
        self, candidate: Kind, rows: np.ndarray, background: np.ndarray | None = None, *, seed: int = 0
    ) -> Generator[Attribution]:
        """Yield the attribution as soon as there is one, then better ones where values are sampled, until closed.

        Args:
            candidate: What to explain.
            rows: Raw rows (N, P), NaN = missing; of signals (N, columns), NaN = padding.
            background: B ≤ 100 raw rows that stand for absent features; training rows by default.
            seed: For the methods that sample; the same seed yields the same attributions.

        Raises:
            ExplanationError: The method does not apply, rows or background have the wrong shape, or what comes out is
                not finite.
        """
        verdict = self.applies_to(candidate)
        if not verdict.ok:
            raise ExplanationError(f"{self.label} does not apply: {verdict.reason}", fix="use another method")
        started = time.perf_counter()
        against = default_background(candidate.problem) if background is None else candidate.checked(background)
        if not 1 <= len(against) <= MAX_BACKGROUND:
            raise ExplanationError(
                f"The background has {len(against)} rows", allowed=f"1 to {MAX_BACKGROUND}", fix="pass a sample of them"
            )
        rows = candidate.checked(rows)
        both = candidate.predict(np.concatenate((rows, against)))  # encoding costs more than predicting
        self._finite(both, "the network's outputs are")
        outputs, base = both[: len(rows)], both[len(rows) :].mean(0)
        spent = time.perf_counter() - started
        found = self.shares(candidate, rows, against, seed=seed)
        while True:
            started = time.perf_counter()
            shares = next(found, None)
            if shares is None:
                return
            spent += time.perf_counter() - started  # without the time the caller takes in between
            self._finite(shares.values, "some of its values are")
            yield Attribution(
                shares.values, base if shares.base is None else shares.base, outputs, rows,
                candidate.problem.feature_names, candidate.output_names, self.name, verdict.reason, spent,
                shares.errors, shares.passes, shares.maps, self.additive,
                "background" if shares.base is None else "bias", self.unit, shares.fit,
            )  # fmt: skip

    def _finite(self, numbers: np.ndarray, which: str) -> None:
        """Raise :class:`ExplanationError` unless all numbers are finite: NaN must not pass for "no influence"."""
        if not np.isfinite(numbers).all():
            raise ExplanationError(
                f"{self.label} has no answer: {which} not finite numbers",
                allowed="networks whose outputs and gradients are finite for these rows",
                fix="use another method, or train the candidate again with a smaller learning rate",
            )

    def explain(
        self,
        candidate: Kind,
        rows: np.ndarray,
        background: np.ndarray | None = None,
        *,
        seed: int = 0,
        seconds: float | None = None,
    ) -> Attribution:
        """Return the attribution of raw ``rows``, as :meth:`refine` yields it.

        Sampled values are refined until they are good, known to 1 % of the largest, or for ``seconds`` if that is given
        and shorter, else for PASSES passes.
        """
        for attribution in self.refine(candidate, rows, background, seed=seed):
            late = attribution.passes >= PASSES if seconds is None else attribution.seconds >= seconds
            if late or attribution.margin <= GOOD * attribution.scale:
                break
        return attribution
