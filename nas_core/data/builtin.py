"""The data sets that come with scikit-learn, ready to use without a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nas_core.data.dataset import ColumnKind, Dataset, DataSource, Task
from nas_core.data.signal_files import image_dataset
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BUILTIN", "IMAGES", "builtin_frame", "builtin_images", "builtin_names"]

# name: (loader in sklearn.datasets, target, task)
BUILTIN: Mapping[str, tuple[str, str, Task]] = {
    "breast_cancer": ("load_breast_cancer", "diagnosis", "classification"),
    "wine": ("load_wine", "cultivar", "classification"),
    "iris": ("load_iris", "species", "classification"),
    "diabetes": ("load_diabetes", "progression", "regression"),
    "digits": ("load_digits", "digit", "classification"),
}


IMAGES = ("digits_images",)
"""The same digits as images of 8 × 8 pixels."""


def builtin_images(source: DataSource) -> Dataset:
    """Return a built-in set of images.

    Raises:
        DataError: There is no such set.
    """
    if source.location not in IMAGES:
        raise DataError(
            f"There are no built-in images {source.location!r}", allowed=", ".join(IMAGES), fix="choose one"
        )
    from sklearn import datasets

    bunch = datasets.load_digits()
    return image_dataset(
        bunch.images[:, None], bunch.target, source, task="classification", target="digit",
        classes=[str(n) for n in bunch.target_names],
    )  # fmt: skip


def builtin_names() -> tuple[str, ...]:
    """Return the names that :func:`nas_core.data.load_data` knows without a file."""
    return (*BUILTIN, *IMAGES)


def builtin_frame(name: str) -> tuple[pd.DataFrame, str, Task, dict[str, ColumnKind]]:
    """Return the table of a built-in set, its target, its task, and the kinds of its features.

    Classes keep scikit-learn's order. The values of ``diabetes`` are in their own units (not the scaled form), with the
    sex as a category.

    Raises:
        DataError: There is no such set.
    """
    if name not in BUILTIN:
        raise DataError(
            f"There is no built-in data set {name!r}", allowed=", ".join(BUILTIN), fix="choose one, or give a file"
        )
    import pandas as pd
    from sklearn import datasets

    loader, target, task = BUILTIN[name]
    options: dict[str, Any] = {"scaled": False} if name == "diabetes" else {}
    bunch = getattr(datasets, loader)(**options)
    frame = pd.DataFrame(bunch.data, columns=[str(n) for n in bunch.feature_names])
    kinds: dict[str, ColumnKind] = dict.fromkeys(frame.columns, "numeric")
    if name == "diabetes":
        kinds["sex"] = "categorical"
    if task == "classification":
        labels = [str(n) for n in bunch.target_names]
        frame[target] = pd.Categorical.from_codes(bunch.target, pd.Index(labels))
    else:
        frame[target] = bunch.target
    return frame, target, task, kinds
