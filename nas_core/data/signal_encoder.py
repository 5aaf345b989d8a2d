"""From raw images and sequences to the numbers a network reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.signal import Signal

__all__ = ["SignalEncoder"]


class SignalEncoder:
    """Standardises every channel with the mean and the standard deviation of the training part.

    The bank has one column per column of the data, in the same order, so a bank (n, D) reshapes to (n, *signal.shape).
    Token ids stay as they are. In sequences of unequal length one more channel, the last, is 1 where there is a value
    and 0 in the padding, where the other channels are 0, the mean.

    Attributes:
        signal: How the columns lie.
        mean, sd: (channels,) of the training part.
        shape: Of one encoded row: the signal's, with the presence channel where sequences are padded.
        D: Number of columns of the bank.
    """

    def __init__(self, signal: Signal, mean: NDArray[np.float64], sd: NDArray[np.float64]) -> None:
        self.signal = signal
        self.mean, self.sd = np.asarray(mean, dtype=np.float64), np.asarray(sd, dtype=np.float64)
        self.shape = signal.encoded_shape
        self.D = int(np.prod(self.shape))

    @classmethod
    def fit(cls, signal: Signal, X: NDArray[np.floating[Any]]) -> SignalEncoder:
        """Fit on training rows X (n, columns), NaN = padding."""
        if signal.vocabulary:
            return cls(signal, np.zeros(signal.channels), np.ones(signal.channels))
        values = X.reshape(len(X), signal.channels, -1)
        mean = np.array([np.nanmean(values[:, c], dtype=np.float64) for c in range(signal.channels)])
        sd = np.array([np.nanstd(values[:, c], dtype=np.float64) for c in range(signal.channels)])
        return cls(signal, mean, np.where(sd > 0, sd, 1.0))

    @property
    def P(self) -> int:  # noqa: N802 - the letter is declared in nas_core.records
        """Number of features, the cells of the signal."""
        return self.signal.features

    def transform(self, X: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the bank (n, D) float32 of raw rows X (n, columns)."""
        if self.signal.vocabulary:
            return np.nan_to_num(np.asarray(X, dtype=np.float32), nan=0.0)
        values = np.asarray(X, dtype=np.float32).reshape(len(X), self.signal.channels, -1)
        scaled = (values - self.mean[:, None].astype(np.float32)) / self.sd[:, None].astype(np.float32)
        if self.signal.padded:
            present = ~np.isnan(scaled).any(axis=1, keepdims=True)
            scaled = np.concatenate([np.nan_to_num(scaled, nan=0.0), present.astype(np.float32)], axis=1)
        return np.ascontiguousarray(scaled.reshape(len(X), self.D), dtype=np.float32)

    def impute(self, X: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        """Return X as it is: what is missing in a signal is padding."""
        return X

    def state(self) -> dict[str, Any]:
        """Return what :meth:`from_state` needs, as plain data."""
        return {"signal": self.signal.model_dump(mode="json"), "mean": self.mean.tolist(), "sd": self.sd.tolist()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> SignalEncoder:
        """Return the encoder that gave ``state``."""
        return cls(Signal.model_validate(state["signal"]), np.array(state["mean"]), np.array(state["sd"]))
