"""The stored definition of a problem."""

from __future__ import annotations

from pydantic import Field

from nas_core.data.dataset import DataSource
from nas_core.data.measured import SEARCHED, STRUCTURE
from nas_core.data.recipe import Recipe
from nas_core.data.splits import FRACTIONS, RANDOM, SplitScheme
from nas_core.data.targets import TransformName
from nas_core.data.weights import ClassWeights
from nas_core.records import Record

__all__ = ["MAX_TRAIN_ROWS", "MAX_VALID_ROWS", "ProblemSpec"]

MAX_TRAIN_ROWS = 100_000
MAX_VALID_ROWS = 50_000


class ProblemSpec(Record):
    """Everything that defines a problem, as stored with a run; :meth:`Problem.load` builds it again.

    Attributes:
        source: Where the data come from.
        name: What a person reads.
        metric: Name of the performance metric.
        split_seed, fractions, split: How the rows are divided.
        classes: Number of classes, 0 for regression.
        class_weights: Whether all classes count the same in the training loss.
        target_transform: What a regression is trained on.
        recipe: How candidates are trained.
        measures, search_measures: Interpretability measures that are computed, and those that are optimised.
        max_train_rows, max_valid_rows: Rows that a search reads at most.
        data_hash: Content of the data set.
    """

    source: DataSource
    name: str = ""
    metric: str
    split_seed: int = 0
    fractions: tuple[float, float, float] = FRACTIONS
    split: SplitScheme = RANDOM
    classes: int = 0
    class_weights: ClassWeights = "none"
    target_transform: TransformName = "none"
    recipe: Recipe = Recipe()
    measures: tuple[str, ...] = STRUCTURE
    search_measures: tuple[str, ...] = SEARCHED["tabular"]
    max_train_rows: int = Field(default=MAX_TRAIN_ROWS, ge=1)
    max_valid_rows: int = Field(default=MAX_VALID_ROWS, ge=1)
    data_hash: str
