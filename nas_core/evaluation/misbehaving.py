"""A public fake that does what no evaluator should: it crashes its process, hangs, and eats memory."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from nas_core.evaluation.base import Evaluator, PackProgress, Referee, Stop, Weights
from nas_core.evaluation.halves import failure_words, in_halves
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.records import Evaluation, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace, facts

__all__ = ["MisbehavingEvaluator"]

_BITE = 16_000_000


class MisbehavingEvaluator(Evaluator):
    """The synthetic evaluator, in which chosen candidates take their whole pack with them, as native code can.

    Only a process of its own keeps the run alive beside crashing, hanging and hungry ones. What raises a MemoryError is
    dealt with here, as the real evaluator does: the pack is halved.

    Args:
        space: The search space.
        seed: Of the synthetic evaluator.
        delay: Seconds per candidate.
        crashing: Identities of candidates that write where they must not (a segmentation fault).
        hanging: Identities of candidates that never end, and let no other Python thread of the process go on.
        hungry: Identities of candidates that take so many bytes, touch them, and give them back after ``digest``.
        digest: Seconds that hungry ones keep what they took.
        larger: Packs of more candidates than this raise a MemoryError; None for none.
        large: Identities of candidates that raise one even alone.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        *,
        delay: float = 0.0,
        crashing: Collection[str] = (),
        hanging: Collection[str] = (),
        hungry: Mapping[str, int] | None = None,
        digest: float = 0.5,
        larger: int | None = None,
        large: Collection[str] = (),
    ) -> None:
        self._space, self._seed = space, seed
        self._inner = SyntheticEvaluator(space, seed, delay=delay)
        self._crashing, self._hanging, self._hungry = crashing, hanging, dict(hungry or {})
        self._digest, self._larger, self._large = digest, larger, large

    def evaluate(
        self,
        proposals: Sequence[Proposal],
        *,
        stop: Stop,
        on_progress: Callable[[PackProgress], None] | None = None,
        referee: Referee | None = None,
    ) -> Iterator[Evaluation]:
        def attempt(part: Sequence[Proposal]) -> Iterator[Evaluation]:
            self._misbehave({p.architecture.id for p in part}, len(part))
            return self._inner.evaluate(part, stop=stop, on_progress=on_progress, referee=referee)

        yield from in_halves(proposals, attempt, self._failed)

    def enter(self, space: SearchSpace) -> None:
        self._space = space
        self._inner.enter(space)

    def take_weights(self) -> dict[str, Weights]:
        return self._inner.take_weights()

    def take_seconds(self) -> dict[str, float]:
        return self._inner.take_seconds()

    def _misbehave(self, pack: Collection[str], size: int) -> None:
        if any(key in pack for key in self._crashing):
            ctypes.string_at(0)
        if any(key in pack for key in self._hanging):
            ctypes.PyDLL(None).pause()  # with the interpreter's lock held: no other thread runs any more
        if wanted := sum(self._hungry.get(key, 0) for key in pack):
            eaten = [b"\x01" * _BITE for _ in range(wanted // _BITE)]
            time.sleep(self._digest)
            del eaten
        if (self._larger is not None and size > self._larger) or any(key in pack for key in self._large):
            raise MemoryError(f"a pack of {size} does not fit")

    def _failed(self, proposal: Proposal, error: Exception) -> Evaluation:
        architecture = proposal.architecture
        return Evaluation(
            id=architecture.id,
            architecture=architecture,
            status=Status.FAILED,
            reason=failure_words(error, facts(self._space, architecture)),
            parents=proposal.parents,
            operator=proposal.operator,
            origin=proposal.origin,
            seed=derive_seed(self._seed, architecture.id),
            finished=time.time(),
        )
