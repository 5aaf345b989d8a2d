"""Counting: how many sequence architectures there are, exactly where no budget limits them."""

from __future__ import annotations

import math
from collections import Counter

from nas_core.spaces.family import SpaceSize
from nas_core.spaces.sequence.rules import SequenceRules, output_width
from nas_core.spaces.variables import Context

__all__ = ["space_size"]


def space_size(rules: SequenceRules, context: Context) -> SpaceSize:
    """Return the size of a sequence space: exact without limits on parameters, operations and steps, else a bound."""
    poolings = len(rules.choices["pooling"].choices) if rules.length > 1 else 1
    space = context.space
    rest = math.prod(space.by_name[n].count(context) for n in ("optimiser", "learning_rate", "weight_decay"))
    starts = [int(w) for w in rules.choices["embedding"].choices] if rules.vocabulary else [rules.channels]
    count = poolings * rest * sum(_networks(rules, context, width) for width in starts)
    limits = rules.limits
    exact = limits.max_parameters is None and limits.max_operations is None and limits.max_receptive_field is None
    log10 = math.log10(count) if count else -math.inf
    number = f"{count:,}" if count < 10**9 else f"{10 ** (log10 % 1):.2g} × 10^{math.floor(log10)}"
    prefix = "at most " if not exact else "about " if count >= 10**9 else ""
    return SpaceSize(log10, exact, f"{prefix}{number} architectures")


def _networks(rules: SequenceRules, context: Context, inputs: int) -> int:
    """Return the number of settings of everything but the pooling and the training, reading ``inputs`` channels.

    Lists of layers are counted by width, by whether there is a convolution and by whether a layer keeps the width: only
    then do activation and connections mean something.
    """
    activations, connections = (len(rules.choices[n].choices) for n in ("activation", "connections"))
    each = len(rules.choices["normalisation"].choices) * rules.reals["dropout"].count(context)
    lists: Counter[tuple[int, bool, bool]] = Counter({(inputs, False, False): 1})
    total = 1 if rules.layers.min_layers == 0 else 0
    for depth in range(1, rules.max_layers + 1):
        longer: Counter[tuple[int, bool, bool]] = Counter()
        for (width, convolved, kept), number in lists.items():
            for option in rules.options:
                after = output_width(option)
                longer[after, convolved or option["kind"] == "conv", kept or after == width] += number
        lists = longer
        if depth >= rules.layers.min_layers:
            for (_, convolved, kept), number in lists.items():
                total += number * each * (activations if convolved else 1) * (connections if kept else 1)
    return total
