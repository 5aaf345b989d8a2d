"""Features of any modality as players that are present or absent: the columns of a feature, and what stands for it.

A feature of a table owns the columns of its encoding, a cell of a signal (a patch, some steps, a word) the numbers at
its places in all channels. Either way an absent feature has its columns taken from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.data.signal import Signal

__all__ = ["absent_rows", "cell_means", "cell_words", "column_owner", "mixtures"]


def column_owner(problem: Problem) -> np.ndarray:
    """Return the feature (D,) that each column of the problem's bank belongs to."""
    signal = problem.dataset.signal
    if signal is None:
        return np.asarray(problem.encoder.owner)
    places = signal.owner[: signal.columns // signal.channels]
    return np.tile(places, signal.encoded_shape[0])


def mixtures(rows: np.ndarray, others: np.ndarray, masks: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return (…, D) rows whose present features come from ``rows`` and whose absent ones from ``others``.

    Args:
        rows, others: (…, D) encoded rows, broadcast against each other.
        masks: (…, P) True where a feature is present.
        owner: (D,) the feature of each column.
    """
    return np.where(masks[..., owner], rows, others)


def absent_rows(problem: Problem, E: np.ndarray) -> np.ndarray:
    """Return (n, D) what stands in the encoded rows ``E`` for features that are taken away.

    Numbers become their mean over the training rows, categories the commonest level; the padding of a series stays, so
    it does not become longer or shorter. Words become padding, as if they were cut out of the text.
    """
    signal = problem.dataset.signal
    if signal is None:
        X = np.asarray(problem.train.X, float)
        typical = np.array(
            [
                np.bincount(X[:, j].astype(int)).argmax() if f.kind == "categorical" else X[:, j].mean()
                for j, f in enumerate(problem.dataset.features)
            ]
        )
        return np.broadcast_to(problem.encoder.transform(typical[None]), E.shape)
    if signal.vocabulary:
        return np.zeros(E.shape, np.float32)
    mean = np.asarray(problem.train.E).mean(0, dtype=np.float64).astype(np.float32)
    if not signal.padded:
        return np.broadcast_to(mean, E.shape)
    places = signal.columns // signal.channels
    present = E[:, -places:]
    return np.concatenate([mean[:-places] * np.tile(present, signal.channels), present], axis=1)


def cell_means(problem: Problem, E: np.ndarray) -> np.ndarray:
    """Return (n, channels · P) the mean of every cell of encoded signals ``E`` (n, D), channel by channel.

    Of a series with padding, the share of each cell that is there is a channel like the others.
    """
    channels, places = problem.signal_encoder.shape[0], column_owner(problem)
    own = places[: len(places) // channels]
    inside = (own[:, None] == np.arange(own.max() + 1)).astype(float)
    means = np.asarray(E, float).reshape(len(E), channels, len(own)) @ (inside / inside.sum(0))
    return means.reshape(len(E), -1)


def cell_words(signal: Signal | None, count: int = 2) -> str:
    """Return what the features are called: features, patches, steps, words; in the singular for one."""
    if signal is None:
        word = "feature"
    elif signal.modality == "image":
        return "patch" if count == 1 else "patches"
    elif signal.vocabulary:
        word = "word"
    else:
        word = "step" if signal.cell[1] == 1 else "run of steps"
    if count == 1:
        return word
    return "runs of steps" if word == "run of steps" else word + "s"
