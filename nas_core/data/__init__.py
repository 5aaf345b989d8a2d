"""Data sets and problems: reading tables, what columns mean, the split, encodings, and hints for the search.

``load_data`` gives a :class:`Dataset`, ``Problem.create`` splits it and says what counts as good. The test part of the
split is read by ``Problem.open_test`` and by nothing else. Importing this package needs NumPy and pydantic only; pandas
and scikit-learn are imported when a table is read.
"""

from nas_core.data.arrays import signal_dataset
from nas_core.data.builtin import builtin_names
from nas_core.data.columns import ColumnGuess, choose_target, guess_columns, guess_task
from nas_core.data.dataset import Aside, ColumnKind, Dataset, DataSource, FeatureKind, FeatureSpec, Task
from nas_core.data.encoder import Encoder
from nas_core.data.encodings import ENCODINGS
from nas_core.data.frames import dataset_from_frame
from nas_core.data.hints import Hints
from nas_core.data.loading import FORMATS, load, load_data, load_frame
from nas_core.data.measured import MEASURED, OF_SIGNALS, OF_TABLES, SEARCHED, STRUCTURE
from nas_core.data.options import COLOURS, Colour, ReadingOptions
from nas_core.data.problem import Part, Problem
from nas_core.data.reading import ReadLimits, read_table
from nas_core.data.recipe import Recipe
from nas_core.data.signal import MODALITIES, Modality, Signal, image_signal, sequence_signal
from nas_core.data.signal_encoder import SignalEncoder
from nas_core.data.spec import ProblemSpec
from nas_core.data.splits import FRACTIONS, Split, SplitScheme, split
from nas_core.data.targets import TARGET_TRANSFORMS, TransformName
from nas_core.data.weights import CLASS_WEIGHTS, ClassWeights
from nas_core.objectives import metrics_for

__all__ = [
    "CLASS_WEIGHTS",
    "COLOURS",
    "ENCODINGS",
    "FORMATS",
    "FRACTIONS",
    "MEASURED",
    "MODALITIES",
    "OF_SIGNALS",
    "OF_TABLES",
    "SEARCHED",
    "STRUCTURE",
    "TARGET_TRANSFORMS",
    "Aside",
    "ClassWeights",
    "Colour",
    "ColumnGuess",
    "ColumnKind",
    "DataSource",
    "Dataset",
    "Encoder",
    "FeatureKind",
    "FeatureSpec",
    "Hints",
    "Modality",
    "Part",
    "Problem",
    "ProblemSpec",
    "ReadLimits",
    "ReadingOptions",
    "Recipe",
    "Signal",
    "SignalEncoder",
    "Split",
    "SplitScheme",
    "Task",
    "TransformName",
    "builtin_names",
    "choose_target",
    "dataset_from_frame",
    "guess_columns",
    "guess_task",
    "image_signal",
    "load",
    "load_data",
    "load_frame",
    "metrics_for",
    "read_table",
    "sequence_signal",
    "signal_dataset",
    "split",
]
