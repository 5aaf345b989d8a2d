"""Watches over a training that end chosen candidates, for the tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from nas_core.records import Halt, Status


class Scripted:
    """Ends the candidates of a list after so many epochs, looks at some epochs, and notes what it was asked."""

    def __init__(self, ends: Mapping[str, int] | None = None, looks: Collection[int] = ()) -> None:
        self.ends, self.looks = dict(ends or {}), set(looks)
        self.asked: list[tuple[str, int, float | None]] = []
        self.outputs: list[np.ndarray] = []

    def looks_at(self, epoch: int) -> bool:
        return epoch in self.looks

    def performance(self, outputs: np.ndarray) -> float:
        self.outputs.append(outputs)
        return float(np.abs(outputs).mean())

    def halt(self, candidate: str, epoch: int, performance: float | None) -> Halt | None:
        self.asked.append((candidate, epoch, performance))
        over = self.ends.get(candidate, epoch + 1) <= epoch
        return Halt(Status.PRUNED, f"enough after {epoch}") if over else None
