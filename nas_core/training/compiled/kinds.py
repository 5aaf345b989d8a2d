"""The numbers of the operations that kernels know, in the field ``KIND``."""

from __future__ import annotations

__all__ = ["ACTIVATE", "AVERAGE_POOL", "CHANNEL_LARGEST", "CHANNEL_MEAN", "CONVOLVE", "COPY", "DEPTHWISE", "DROP",
           "GATE", "MAX_POOL", "MEAN", "NORM", "PLACE_GATE", "SUM"]  # fmt: skip

CONVOLVE = 0
"""A convolution, or a linear layer as one of a single place and tap."""
DEPTHWISE = 1
"""A convolution of each channel by itself, without bias."""
ACTIVATE = 2
"""A function of each number; ``OPTION`` says which."""
MAX_POOL, AVERAGE_POOL = 3, 4
"""The largest and the mean of the places that there are."""
MEAN = 5
"""The mean over all places."""
NORM = 6
"""Batch normalisation."""
DROP = 7
"""Dropout."""
COPY = 8
"""The value itself, among others: a join is a copy of each part."""
SUM = 9
"""``X`` plus ``OTHER``."""
GATE, PLACE_GATE = 10, 11
"""``X`` times ``OTHER``, which has one number for each channel, or for each place."""
CHANNEL_MEAN, CHANNEL_LARGEST = 12, 13
"""Mean and largest over the channels, place by place."""
