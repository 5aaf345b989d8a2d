"""The operations of networks of sequences as rows of numbers."""

from __future__ import annotations

from functools import lru_cache
from math import prod

from nas_core.training.batched.program import Operation
from nas_core.training.compiled import kinds
from nas_core.training.compiled.plan import Writer
from nas_core.training.compiled.tables import Taps, taps_of

__all__ = ["SequenceWriter"]


class SequenceWriter(Writer):
    """Writes the operations of :mod:`nas_core.training.batched.sequence_program` as well."""

    def _told(self, operation: Operation, own: int) -> dict[str, int]:
        """Return where it is said where there is a step, after an operation's ``own`` values; -1 where nowhere."""
        told = operation.inputs[own:]
        return {"PRESENT": self.starts[told[0]] if told else -1}

    def _presence(self, number: int, operation: Operation) -> None:
        self._add(kinds.PRESENCE, number, operation, {"X": operation.traits[0] * operation.shape[1]})

    def _mask(self, number: int, operation: Operation) -> None:
        self._add(kinds.PLACE_GATE, number, operation)

    def _words(self, number: int, operation: Operation) -> None:
        table = self._at(operation.place + ".weight")
        self._add(kinds.EMBED, number, operation, {"WEIGHT": table, "OPTION": operation.traits[0]})

    def _step_convolution(self, number: int, operation: Operation) -> None:
        kernel, padding, dilation, weight, bias = operation.traits
        parts = {"WEIGHT": self._at(f"{operation.place}.{weight}"), "BIAS": self._at(f"{operation.place}.{bias}")}
        taps = _taps_of_steps(operation.shape[1], kernel, padding, dilation)
        self._add(kinds.CONVOLVE, number, operation, self._taps(taps, (1, kernel)) | parts)

    def _states(self, number: int, operation: Operation) -> None:
        lstm, turned = operation.traits
        _, steps, width = operation.shape
        before = _taps_of_steps(steps, 1, -1 if turned else 1, 1)
        tables = {"TABLE": self._room(_taps_of_steps(1, 1, 0, 1).forward), "BY_TAP": self._room(before.by_tap)}
        parts = {name: self._at(f"{operation.place}.{name.lower()}_hh_l0") for name in ("WEIGHT", "BIAS")}
        self._reserve(number, (2 * steps + 5) * width)
        more = tables | parts | self._told(operation, 1) | {"OPTION": lstm + 2 * turned}
        self._add(kinds.RECUR, number, operation, more)

    def _coordinates(self, number: int, operation: Operation) -> None:
        self._add(kinds.PLACED, number, operation)

    def _attention(self, number: int, operation: Operation) -> None:
        self._add(kinds.SCORES, number, operation, self._told(operation, 2))

    def _mix(self, number: int, operation: Operation) -> None:
        first = operation.inputs[0]
        self._add(kinds.MIX, number, operation, {"OPTION": operation.traits[0], "NEEDS": self.needed[first]})

    def _weights_of_steps(self, number: int, operation: Operation) -> None:
        self._add(kinds.SOFTMAX, number, operation, self._told(operation, 1))

    def _norm_of_channels(self, number: int, operation: Operation) -> None:
        self._reserve(number, prod(operation.shape) + 2 * operation.shape[1])
        self._add(kinds.CHANNEL_NORM, number, operation, self._weights(operation), operation.traits)

    def _norm_of_steps(self, number: int, operation: Operation) -> None:
        place = self.statistics[operation.place + ".running_mean"][0]
        more = self._weights(operation) | self._told(operation, 1) | {"PLACE": place, "OTHER": self.scratch}
        self._add(kinds.STEP_NORM, number, operation, more, operation.traits)
        self.scratch += 2 * operation.shape[2]

    def _last_step(self, number: int, operation: Operation) -> None:
        self._add(kinds.LAST, number, operation, self._told(operation, 1))

    def _largest_step(self, number: int, operation: Operation) -> None:
        self._add(kinds.LARGEST, number, operation, self._told(operation, 1))

    def _mean_of_steps(self, number: int, operation: Operation) -> None:
        self._add(kinds.STEP_MEAN, number, operation, self._told(operation, 1))

    def _reserve(self, number: int, rows: int) -> None:
        """Make room for more rows than the value has, for what a kernel keeps."""
        self.starts[number] = self.rows
        self.rows += rows


@lru_cache(maxsize=256)
def _taps_of_steps(steps: int, kernel: int, padding: int, dilation: int) -> Taps:
    return taps_of((1, steps), (1, kernel), (1, 1), (0, padding), (1, dilation), places=(1, steps))
