"""What a run keeps in memory of the candidates that it has committed."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal
from nas_core.runs.run import Run
from nas_core.spaces import SearchSpace
from nas_core.store import Store

PACK, PACKS = 16, 8


class Counting(SyntheticEvaluator):
    """Notes how many evaluations there are in memory when the second and the last pack begin."""

    def __init__(self, space: SearchSpace, seed: int, held: list[int]) -> None:
        super().__init__(space, seed)
        self._held, self._packs = held, 0

    def evaluate(self, proposals: Sequence[Proposal], **asked: Any) -> Iterator[Evaluation]:
        self._packs += 1
        if self._packs in (2, PACKS):
            gc.collect()
            self._held.append(sum(type(one) is Evaluation for one in gc.get_objects()))
        return super().evaluate(proposals, **asked)


def test_whole_evaluations_are_left_to_the_store(launch: Callable[..., Run], disk: Store) -> None:
    held: list[int] = []
    run = launch(lambda _, space, own: Counting(space, own.seed, held), disk, candidates=PACK * PACKS,
                 pack_size=PACK, first_pack=PACK)  # fmt: skip
    assert run.wait(30)
    early, late = held
    assert late - early <= PACK
