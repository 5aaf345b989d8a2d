"""How long a search will take, measured on this machine with these data: an estimate that a person can plan with."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import SettingsError
from nas_core.evaluation.base import Evaluator, PackProgress
from nas_core.evaluation.cores import WORTH_SECONDS
from nas_core.records import Architecture, Estimate, Proposal, Status, derive_seed
from nas_core.spaces import SearchSpace

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["Calibration", "Law", "calibrate"]

SAMPLED, AT_LEAST = 60, 12
PACK, PACKS, EPOCHS = 64, 3, 3
DOUBT = 1.25  # how far a single measured pack may be from the next one
SHARED_AFTER = 2 * WORTH_SECONDS  # workers that share packs are started then, and load for about as long again


@dataclass(frozen=True)
class Law:
    """What a candidate costs in seconds of one processor core: a weighted sum of its sizes, and measuring it.

    Attributes:
        fixed: Whatever it is.
        weights: Of each of its sizes, see :func:`nas_core.evaluation.calibration_steps.sizes`; none on tables.
        measuring: (operations, seconds) points, operations ascending; in between linear in log operations.
    """

    fixed: float
    weights: tuple[float, ...] = ()
    measuring: tuple[tuple[float, float], ...] = ()

    def seconds(self, sizes: Sequence[float] = ()) -> float:
        """Return the seconds of a candidate of these sizes, operations first."""
        extra = 0.0
        if self.measuring:
            at, known = np.array(self.measuring).T
            extra = float(np.interp(math.log1p(sizes[0]), np.log1p(at), known))
        return self.fixed + sum(w * size for w, size in zip(self.weights, sizes, strict=True)) + extra


@dataclass(frozen=True)
class Calibration:
    """A measured estimate of seconds.

    Attributes:
        space: The space it was made for.
        law: What a candidate costs, in seconds of one processor core.
        workers: Candidates that are trained at the same time.
        sample: Seconds of random candidates of the space, ascending; of tables, of the packs that were trained.
        words: What was measured, in a sentence for a person.
        shared: What part of its seconds a pack of tables still takes once processes on all cores share it.
    """

    space: SearchSpace
    law: Law
    workers: int
    sample: tuple[float, ...]
    words: str
    shared: float = 1.0

    def seconds(self, architecture: Architecture) -> float:
        """Return the seconds to train and measure this candidate beside others; its share of a pack on tables."""
        if self.space.signal is None:
            return self.law.seconds()
        from nas_core.evaluation.calibration_steps import sizes

        return self.law.seconds(sizes(self.space, architecture))

    def run_seconds(self, candidates: int) -> Estimate:
        """Return the seconds of a search over so many candidates.

        The value is for candidates as dear as random ones are on average. A search prefers some to others: the interval
        is from a quarter to three quarters of the random candidates, or that of the packs that were measured.

        Raises:
            SettingsError: Fewer than one candidate.
        """
        if candidates < 1:
            raise SettingsError(f"{candidates} candidates", allowed="1 or more", fix="choose for example 100")
        mean = float(np.mean(self.sample))
        low, high = (float(q) for q in np.quantile(self.sample, (0.25, 0.75)))
        if len(self.sample) == 1:
            low, high = mean / DOUBT, mean * DOUBT

        def taken(each: float) -> float:
            alone = candidates / self.workers * each
            return min(alone, SHARED_AFTER) + self.shared * max(0.0, alone - SHARED_AFTER)

        return Estimate(value=taken(mean), low=taken(min(low, mean)), high=taken(max(high, mean)))


def calibrate(problem: Problem, space: SearchSpace, *, seed: int = 0, budget_seconds: float = 5.0) -> Calibration:
    """Measure on this machine what candidates of ``space`` cost.

    Networks of tables: packs of 64 random candidates are evaluated as a search does, and the shares of one of them
    where packs are divided among the processor cores. Networks of images and sequences: random candidates of different
    size are trained for some gradient steps side by side; what a step costs by operations, numbers and layers is fitted
    to that and carried to the whole training; how many predictions the measures ask for is counted.

    Args:
        problem: The data and the recipe.
        space: The space of the search.
        seed: Decides which candidates are measured.
        budget_seconds: About how long it may take; more where a single candidate takes longer.

    Raises:
        SpaceError: The space has no valid candidate.
        RunError: None of the candidates could be trained.
    """
    if space.signal is None:
        return _of_tables(problem, space, seed, budget_seconds)
    from nas_core.evaluation.calibration_steps import law_of_networks, sizes
    from nas_core.training.device import pick_device
    from nas_core.training.side_by_side import workers_on

    sample = _sampled(problem, space, seed, SAMPLED, budget_seconds / 4)
    law, count = law_of_networks(problem, space, sample, seed, budget_seconds)
    seconds = sorted(law.seconds(sizes(space, a)) for a in sample)
    workers = workers_on(pick_device())
    side = f"{workers} side by side" if workers > 1 else "one after the other"
    words = (
        f"{count} random networks trained for some gradient steps, {side}; what a step costs by operations, numbers "
        f"and layers carried to {problem.spec.recipe.max_epochs} epochs and measures of {len(seconds)} random networks"
    )
    return Calibration(space, law, workers, tuple(seconds), words)


def _sampled(problem: Problem, space: SearchSpace, seed: int, most: int, seconds: float) -> list[Architecture]:
    """Return different architectures as a search draws them, from 12 to ``most``, in about so many seconds."""
    hints = problem.hints  # they take their time once, in a search too
    until, found = time.monotonic() + seconds, {}
    for number in range(4 * most):
        architecture = space.sample(np.random.default_rng(derive_seed("calibration", seed, number)), hints)
        found[architecture.id] = architecture
        if len(found) >= most or (number >= AT_LEAST and time.monotonic() > until):
            break
    return list(found.values())


class _Watch:
    """Hears of the epochs of a pack, and is its stop signal: the time is used up, and some epochs have been seen."""

    def __init__(self, until: float, epochs: int = EPOCHS) -> None:
        self._until, self._epochs = until, epochs
        self.began = time.monotonic()
        self.seen: list[tuple[float, PackProgress]] = []

    def told(self, progress: PackProgress) -> None:
        """Take note of an epoch."""
        if progress.phase == "train" and progress.epoch:
            self.seen.append((time.monotonic() - self.began, progress))

    def is_set(self) -> bool:
        return len(self.seen) >= self._epochs and time.monotonic() > self._until

    def carried_on(self) -> float:
        """Return the seconds of all epochs, from those that were seen: at least one."""
        seconds, last = self.seen[-1]
        return seconds / last.epoch * last.epochs


def _of_tables(problem: Problem, space: SearchSpace, seed: int, budget: float) -> Calibration:
    """Evaluate packs until the budget is spent; the first is carried on from its epochs where it takes longer."""
    from nas_core.evaluation.packs import PackEvaluator

    packs = _packs(problem, space, seed, budget / 4)
    evaluator, until = PackEvaluator(problem, space, seed), time.monotonic() + budget
    # imports and the preparation of the data are no candidates'
    warm = _Watch(0.0, epochs=1)
    list(evaluator.evaluate(packs[0][:1], stop=warm, on_progress=warm.told))
    first, whole = _pack_seconds(evaluator, packs[0], until)
    shared, sharing = _shared(problem, space, evaluator, packs[0], first, budget / 4)
    found = [first]
    for pack in packs[1:] if whole else ():
        if time.monotonic() > until:
            break
        seconds, complete = _pack_seconds(evaluator, pack, until)
        found += [seconds] if complete else []
    each = tuple(sorted(seconds / len(packs[0]) for seconds in found))
    words = (
        f"{len(each)} pack{'s' * (len(each) > 1)} of {len(packs[0])} random candidates, trained and measured" if whole
        else f"some epochs of a pack of {len(packs[0])} random candidates, carried on to the last epoch"
    )  # fmt: skip
    return Calibration(space, Law(float(np.mean(each))), 1, each, words + sharing, shared)


def _pack_seconds(evaluator: Evaluator, pack: Sequence[Proposal], until: float) -> tuple[float, bool]:
    """Return the seconds of a pack, and whether it was trained to the end or carried on from its epochs."""
    watch = _Watch(until)
    told = list(evaluator.evaluate(pack, stop=watch, on_progress=watch.told))
    if all(e.status is not Status.CANCELLED for e in told):
        return time.monotonic() - watch.began, True
    return watch.carried_on(), False


def _shared(
    problem: Problem, space: SearchSpace, evaluator: Evaluator, pack: Sequence[Proposal], seconds: float, budget: float
) -> tuple[float, str]:
    """Return what part of its seconds a pack takes where all cores share it, and that in words; 1 where they do not."""
    from nas_core.evaluation.cores import divided, parts_of, processes_for
    from nas_core.training.device import pick_device
    from nas_core.training.side_by_side import workers_on

    parts = parts_of(len(pack), processes_for(problem, space, pick_device()))
    if parts == 1:
        return 1.0, ""
    shares = divided(problem)(pack, parts)
    evaluator.use(max(1, workers_on(pick_device()) // parts))
    each = [_pack_seconds(evaluator, share, time.monotonic() + budget / len(shares))[0] for share in shares]
    evaluator.use(workers_on(pick_device()))
    part = min(1.0, max(each) / seconds)
    return part, (
        f"; after {SHARED_AFTER:.0f} seconds {parts} processes share every pack, the longest share of one takes "
        f"{part:.0%} of its time"
    )


def _packs(problem: Problem, space: SearchSpace, seed: int, seconds: float) -> list[list[Proposal]]:
    """Return packs of as many different random candidates as a search trains together."""
    sample = _sampled(problem, space, seed, PACK * PACKS, seconds)
    size = min(PACK, len(sample))
    packs = [sample[start : start + size] for start in range(0, len(sample), size)]
    return [[Proposal(architecture=a) for a in pack] for pack in packs if len(pack) == size]
