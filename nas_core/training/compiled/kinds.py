"""The numbers of the operations that kernels know, in the field ``KIND``."""

from __future__ import annotations

__all__ = ["ACTIVATE", "AVERAGE_POOL", "CHANNEL_LARGEST", "CHANNEL_MEAN", "CHANNEL_NORM", "CONVOLVE", "COPY",
           "DEPTHWISE", "DROP", "EMBED", "GATE", "KINDS", "LARGEST", "LAST", "MAX_POOL", "MEAN", "MIX", "NORM",
           "PLACED", "PLACE_GATE", "PRESENCE", "RECUR", "SCORES", "SOFTMAX", "STEP_MEAN", "STEP_NORM",
           "SUM"]  # fmt: skip

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

RECUR = 20
"""The states of a GRU or LSTM from what its gates read of the steps; ``OPTION``: 1 for an LSTM, 2 backwards in time."""
SCORES, MIX = 21, 22
"""Weights of attention from queries and keys; what they make of the values."""
SOFTMAX = 23
"""Weights over the steps that sum to one."""
PLACED = 24
"""The value with the sinusoidal coordinates of each step as further channels."""
CHANNEL_NORM = 25
"""Layer normalisation over the channels of each step."""
STEP_NORM = 26
"""Batch normalisation over the steps that are there."""
LAST, LARGEST, STEP_MEAN = 27, 28, 29
"""The last step, the largest and the mean one of those that are there."""
PRESENCE = 30
"""Where sequences have a step."""
EMBED = 31
"""A vector for each word."""
KINDS = 32
"""More than any of them."""
