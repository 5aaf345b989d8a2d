"""The problem: a data set, split once, what counts as good, and how candidates are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.dataset import Dataset
from nas_core.data.encoder import Encoder
from nas_core.data.featureless import featureless_loss, featureless_value
from nas_core.data.hints import Hints, make_hints
from nas_core.data.loading import load
from nas_core.data.measured import MEASURED, SEARCHED
from nas_core.data.recipe import Recipe
from nas_core.data.signal_encoder import SignalEncoder
from nas_core.data.spec import MAX_TRAIN_ROWS, MAX_VALID_ROWS, ProblemSpec
from nas_core.data.splits import FRACTIONS, RANDOM, Split, SplitScheme, split
from nas_core.data.targets import TargetScale, TransformName
from nas_core.data.weights import ClassWeights, balanced_weights
from nas_core.errors import DataError, SettingsError
from nas_core.objectives import Objective, metric_objective, metrics_for

__all__ = ["Part", "Problem", "ProblemSpec"]

BANK_BYTES = 600_000_000


@dataclass(frozen=True)
class Part:
    """One part of the split; nobody changes it.

    Attributes:
        rows: (n,) int64, row numbers in the data set.
        raw: (n, P) float64, NaN = missing; of signals (n, columns) float32, NaN = padding.
        X: the same with missing values imputed; of signals the same as ``raw``.
        E: (n, D) float32, the bank of encodings of ``raw``.
        y: (n,) what is trained on: int64 class index, or the transformed target, float64, in training standard
            deviations from the training mean.
        target: (n,) what is judged: ``y``, or without the transform, the target in its own standard deviations.
        weights: (n,) float32, how much each row counts in the training loss; None when all count the same.
    """

    rows: NDArray[np.int64]
    raw: NDArray[np.float64]
    X: NDArray[np.float64]
    E: NDArray[np.float32]
    y: NDArray[np.int64] | NDArray[np.float64]
    target: NDArray[np.int64] | NDArray[np.float64]
    weights: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.rows)


class Problem:
    """A data set, split once, with its metric and recipe: what a search is asked to solve.

    Build one with :meth:`create` or :meth:`load`. Everything a search uses (encoder, hints, baseline, parts) is fitted
    on the training part and compared on the validation part; the test part is read by :meth:`open_test` alone.

    Attributes:
        spec: The stored definition.
        dataset: The data.
        split: The row numbers of the parts.
        objective: What performance means; the only place that knows which way is better.
        test_opened: How often the test part was opened.
    """

    def __init__(self, spec: ProblemSpec, dataset: Dataset, parts: Split) -> None:
        self.spec, self.dataset, self.split = spec, dataset, parts
        classes = len(dataset.classes)
        self.objective: Objective = metric_objective(spec.metric, classes)
        self.test_opened = 0
        allowed = metrics_for(dataset.task, classes, dataset.modality)
        if spec.metric not in allowed:
            raise SettingsError(
                f"The metric {spec.metric!r} does not fit {dataset.task}", allowed=", ".join(allowed), fix="choose one"
            )
        for name, value, task in (
            ("class_weights", spec.class_weights, "classification"),
            ("target_transform", spec.target_transform, "regression"),
        ):
            if value != "none" and dataset.task != task:
                raise SettingsError(
                    f"{name} is {value!r}, but the task is {dataset.task}", allowed="none", fix=f"use it for {task}"
                )

    @classmethod
    def create(
        cls,
        dataset: Dataset,
        metric: str | None = None,
        seed: int = 0,
        recipe: Recipe | None = None,
        *,
        fractions: tuple[float, float, float] = FRACTIONS,
        scheme: SplitScheme = RANDOM,
        class_weights: ClassWeights = "none",
        target_transform: TransformName = "none",
        measures: Sequence[str] | None = None,
        max_train_rows: int | None = None,
        max_valid_rows: int | None = None,
    ) -> Problem:
        """Return the problem of ``dataset``, with defaults that suit its size and task.

        Args:
            dataset: What to learn from.
            metric: Name of the performance metric; the first of :func:`metrics_for` when None.
            seed: Decides the split.
            recipe: How candidates are trained; by default :meth:`Recipe.for_rows` or :meth:`Recipe.for_signals`.
            fractions: Shares of training, validation and test rows.
            scheme: Whether rows are split at random, by group or by time.
            class_weights: ``balanced`` makes all classes count the same in the training loss.
            target_transform: What a regression is trained on; performance is judged without it.
            measures: Interpretability measures to compute; by default those that suit the modality.
            max_train_rows: Rows the search trains on at most; by default 100,000, fewer for wide tables.
            max_valid_rows: Rows it compares on at most; by default 50,000, fewer for wide tables.

        Raises:
            DataError: The fractions or the scheme are not usable, or the target cannot be transformed.
            SettingsError: The metric is unknown; it, the weights or the transform do not fit the task.
        """
        parts = split(dataset, seed, fractions, scheme)
        train_limit, valid_limit = _row_limits(dataset)
        used = min(len(parts.train), max_train_rows or train_limit)
        measured = tuple(measures or MEASURED[dataset.modality])
        spec = ProblemSpec(
            source=dataset.source,
            name=dataset.name,
            metric=metric or metrics_for(dataset.task, len(dataset.classes), dataset.modality)[0],
            split_seed=seed,
            fractions=fractions,
            split=scheme,
            classes=len(dataset.classes),
            class_weights=class_weights,
            target_transform=target_transform,
            recipe=recipe or (Recipe.for_signals(used) if dataset.signal else Recipe.for_rows(used)),
            measures=measured,
            search_measures=tuple(name for name in SEARCHED[dataset.modality] if name in measured),
            max_train_rows=max_train_rows or train_limit,
            max_valid_rows=max_valid_rows or valid_limit,
            data_hash=dataset.hash,
        )
        made = cls(spec, dataset, parts)
        if dataset.task == "regression":
            _ = made.target_scale  # a target that cannot be transformed is said now
        return made

    @classmethod
    def load(cls, spec: ProblemSpec) -> Problem:
        """Return the problem that ``spec`` defines, from its source.

        Raises:
            DataError: The data cannot be read, or are no longer the same.
        """
        dataset = load(spec.source)
        if dataset.hash != spec.data_hash:
            raise DataError(
                f"The data at {spec.source.location!r} changed: {dataset.hash[:12]}, recorded {spec.data_hash[:12]}",
                allowed="the data this problem was defined on",
                fix="restore the file, or start a new run on the new data",
            )
        return cls(spec, dataset, split(dataset, spec.split_seed, spec.fractions, spec.split))

    @property
    def task(self) -> str:
        """``classification`` or ``regression``."""
        return self.dataset.task

    @property
    def P(self) -> int:  # noqa: N802 - the letters are declared in nas_core.records
        """Number of features."""
        return self.dataset.P

    @property
    def C(self) -> int:  # noqa: N802
        """Number of outputs: 1 for two classes or regression, else the number of classes."""
        return len(self.dataset.classes) if len(self.dataset.classes) > 2 else 1

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the P features."""
        return self.dataset.feature_names

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed or left out while reading the data, and how many rows the search leaves out."""
        notes = list(self.dataset.notes)
        for name, rows, limit in (
            ("trains on", self.split.train, self.spec.max_train_rows),
            ("compares candidates on", self.split.valid, self.spec.max_valid_rows),
        ):
            if len(rows) > limit:
                notes.append(f"The search {name} {limit:,} of {len(rows):,} rows, evenly spaced.")
        classes = len(self.dataset.classes)
        if classes and (absent := classes - len(np.unique(self.dataset.y[self.split.valid]))):
            notes.append(f"The validation part has no row of {absent} of the {classes} classes.")
        return tuple(notes)

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of a table, fitted on the training part only.

        Raises:
            SettingsError: The data are images or sequences.
        """
        if self.dataset.signal is not None:
            raise SettingsError(
                f"{self.dataset.name} holds {self.dataset.modality} data, which have no columns to encode one by one",
                allowed="tabular data",
                fix="use signal_encoder",
            )
        return Encoder.fit(self.dataset.features, self.dataset.X[self._train_rows])

    @cached_property
    def signal_encoder(self) -> SignalEncoder:
        """The encoder of images or sequences, fitted on the training part only.

        Raises:
            SettingsError: The data are a table.
        """
        if self.dataset.signal is None:
            raise SettingsError(
                f"{self.dataset.name} is a table", allowed="images or sequences", fix="use encoder instead"
            )
        return SignalEncoder.fit(self.dataset.signal, self.dataset.X[self._train_rows])

    def encode(self, X: NDArray[Any]) -> NDArray[np.float32]:
        """Return the bank (n, D) of raw rows, of whatever modality."""
        encoder = self.encoder if self.dataset.signal is None else self.signal_encoder
        return encoder.transform(X)

    @cached_property
    def train(self) -> Part:
        """The rows candidates learn from."""
        return self._part(self._train_rows)

    @cached_property
    def valid(self) -> Part:
        """The rows candidates are compared on: fixed for the whole search."""
        return self._part(_thin(self.split.valid, self.spec.max_valid_rows))

    @cached_property
    def target_scale(self) -> TargetScale:
        """The units of a regression's target, fitted on the training part only.

        Raises:
            DataError: The target cannot be transformed as the spec says.
        """
        return TargetScale.fit(self.spec.target_transform, self.dataset.y[self._train_rows])

    @property
    def target_mean(self) -> float:
        """Mean of the transformed target over the training part; 0 for classification."""
        return self.target_scale.mean if self.task == "regression" else 0.0

    @property
    def target_sd(self) -> float:
        """Standard deviation of the transformed target over the training part; 1 for classification or a constant."""
        return self.target_scale.sd if self.task == "regression" else 1.0

    @property
    def output_name(self) -> str:
        """What the outputs of a regression are, and what its explanations explain: the target, or its transform."""
        return self.target_scale.transform.words(self.dataset.target)

    def judged(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return outputs (…) of networks in the unit of ``Part.target``, in which performance is judged."""
        return self.target_scale.judged(outputs) if self.task == "regression" else outputs

    @cached_property
    def class_weights(self) -> NDArray[np.float64] | None:
        """(classes,) how much a row of each class counts in the training loss; None when all count the same."""
        if self.spec.class_weights == "none":
            return None
        return balanced_weights(self.dataset.y[self._train_rows].astype(np.int64), len(self.dataset.classes))

    @property
    def row_weights(self) -> NDArray[np.float32] | None:
        """(n,) the same of each training row."""
        return self.train.weights

    @cached_property
    def hints(self) -> Hints | None:
        """Relevance, interaction and direction of the features of a table, from the training part only; else None."""
        if self.dataset.signal is not None:
            return None
        return make_hints(self.dataset.features, self.train.X, self.train.y, len(self.dataset.classes))

    @cached_property
    def baseline(self) -> float:
        """Performance on the validation part of a model that ignores its inputs, see :func:`featureless_value`."""
        return featureless_value(self.objective.name, self.train.target, self.valid.target, len(self.dataset.classes))

    @cached_property
    def featureless_loss(self) -> float:
        """Mean training loss of the validation part of a model that ignores its inputs."""
        return featureless_loss(self.train, self.valid, len(self.dataset.classes))

    def open_test(self) -> Part:
        """Return the test part, for a report and nothing else; every call is counted in ``test_opened``."""
        self.test_opened += 1
        return self._part(self.split.test)

    @cached_property
    def _train_rows(self) -> NDArray[np.int64]:
        return _thin(self.split.train, self.spec.max_train_rows)

    def _part(self, rows: NDArray[np.int64]) -> Part:
        """Return the part that consists of ``rows``."""
        raw = self.dataset.X[rows]
        X = self.encoder.impute(raw) if self.dataset.signal is None and np.isnan(raw).any() else raw
        y = target = self.dataset.y[rows]
        if self.task == "regression":
            y, target = self.target_scale.trained(y), self.target_scale.standardised(y)
        weights = None if self.class_weights is None else self.class_weights.astype(np.float32)[y.astype(np.int64)]
        E = self.encode(raw)
        for array in (rows, raw, X, y, target):  # E stays writable: torch shares its memory and warns about read-only
            array.setflags(write=False)
        return Part(rows, raw, X, E, y, target, weights)


def _row_limits(dataset: Dataset) -> tuple[int, int]:
    """Return how many training and validation rows keep the banks within BANK_BYTES."""
    # of a numeric feature: standardised 1, quantile 1, piecewise 8 to 12, periodic 8
    columns = dataset.signal.columns if dataset.signal else 20 * dataset.P
    rows = max(300, BANK_BYTES // (4 * columns))
    return min(MAX_TRAIN_ROWS, rows * 3 // 4), min(MAX_VALID_ROWS, rows // 4)


def _thin(rows: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
    """Return at most ``limit`` of the sorted ``rows``, evenly spaced."""
    if len(rows) <= limit:
        return rows
    return rows[np.linspace(0, len(rows) - 1, limit).astype(np.int64)]
