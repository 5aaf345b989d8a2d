"""How a network is written down for the kernels: one row of numbers for each operation, and flat arrays for the rest.

A value is ``channels · places`` rows of N numbers, one for each row of the batch: the batch is what lies side by side
in memory. Row ``c · places + p`` of a value is its channel c at place p, so a flattened map is the map itself. N is a
multiple of the lanes of a register; the columns from n on belong to no row of the batch: what they hold in a value is
not defined (but finite), their slopes are 0.

Source: Dukhan (2019), The Indirect Convolution Algorithm, arXiv 1907.02129, for the tables of places.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = [
    "BACK",
    "BIAS",
    "BY_TAP",
    "C_IN",
    "C_OUT",
    "FIELDS",
    "KIND",
    "NEEDS",
    "OPTION",
    "OTHER",
    "OUT",
    "PLACE",
    "PRESENT",
    "P_IN",
    "P_OUT",
    "TABLE",
    "TAPS",
    "WEIGHT",
    "Memory",
    "X",
]  # fmt: skip

KIND = 0
"""What is computed: one of the numbers of :mod:`.kinds`."""
X, OTHER, OUT = 1, 2, 3
"""First rows of the value it reads, of the second one, and of its own, in ``Memory.values`` and ``.slopes``."""
C_IN, C_OUT, P_IN, P_OUT = 4, 5, 6, 7
"""Channels and places of the value it reads and of its own."""
TABLE, BACK, BY_TAP, TAPS = 8, 9, 10, 11
"""Where its tables begin in ``Memory.tables`` and how many taps a channel's kernel has; see :mod:`.tables`."""
WEIGHT, BIAS = 12, 13
"""Where its weights and biases begin in ``Memory.weights``; -1 for none. Normalisation: scale and shift."""
PLACE = 14
"""Where what it keeps begins in ``Memory.statistics`` (running mean, then variance) or in ``Memory.noise``."""
OPTION = 15
"""A number whose meaning depends on the kind, such as which activation it is."""
NEEDS = 16
"""1 where the slopes of what it reads are needed, 0 where it reads the rows of the data."""
PRESENT = 17
"""First row of the value that says where a sequence has a step, -1 where all have one length; see :mod:`.steps`."""
FIELDS = 20


class Memory(NamedTuple):
    """The arrays that kernels work on, all flat.

    Attributes:
        values: float32, rows of N: the values of all operations, those of the data first.
        slopes: float32, like ``values``: the derivatives of the mean loss by them; set to 0 before each backward pass,
            for whoever reads a value adds to its slopes.
        weights: float32, the parameters of the network, each in the order of torch; its torch parameters are views.
        gradient: float32, like ``weights``: the derivatives of the mean loss by them; written, not added to.
        statistics: float32, running means and variances; views likewise.
        noise: float32, rows of N: what dropout multiplies a value with (0 or 1 / (1 - p)).
        scratch: float32, room for what a kernel needs in passing.
        tables: int32, see :mod:`.tables`.
    """

    values: np.ndarray
    slopes: np.ndarray
    weights: np.ndarray
    gradient: np.ndarray
    statistics: np.ndarray
    noise: np.ndarray
    scratch: np.ndarray
    tables: np.ndarray
