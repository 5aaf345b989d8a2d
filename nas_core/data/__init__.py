"""Data sets and problems: reading tables, what columns mean, the split, encodings, and hints for the search.

``load_data`` gives a :class:`Dataset`, ``Problem.create`` splits it and says what counts as good. The test part of the
split is read by ``Problem.open_test`` and by nothing else. Importing this package needs NumPy and pydantic only; pandas
and scikit-learn are imported when a table is read.
"""

from nas_core.data.builtin import builtin_names
from nas_core.data.columns import ColumnGuess, choose_target, guess_columns, guess_task
from nas_core.data.dataset import ColumnKind, Dataset, DataSource, FeatureKind, FeatureSpec, Task
from nas_core.data.encoder import Encoder
from nas_core.data.encodings import ENCODINGS
from nas_core.data.frames import dataset_from_frame
from nas_core.data.hints import Hints
from nas_core.data.loading import load, load_data, load_frame
from nas_core.data.problem import STRUCTURE, Part, Problem, ProblemSpec, Recipe, metrics_for
from nas_core.data.reading import ReadLimits, read_table
from nas_core.data.splits import FRACTIONS, Split, split

__all__ = [
    "ENCODINGS",
    "FRACTIONS",
    "STRUCTURE",
    "ColumnGuess",
    "ColumnKind",
    "DataSource",
    "Dataset",
    "Encoder",
    "FeatureKind",
    "FeatureSpec",
    "Hints",
    "Part",
    "Problem",
    "ProblemSpec",
    "ReadLimits",
    "Recipe",
    "Split",
    "Task",
    "builtin_names",
    "choose_target",
    "dataset_from_frame",
    "guess_columns",
    "guess_task",
    "load",
    "load_data",
    "load_frame",
    "metrics_for",
    "read_table",
    "split",
]
