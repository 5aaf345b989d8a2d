"""Strategies that leave the choosing to a sampler of Optuna: tree-structured Parzen estimators, Gaussian processes.

The study lives in memory for one ask and is filled from what was told, so nothing of it is stored and a run goes on
exactly after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from nas_core.search.choices import RefittedStrategy
from nas_core.search.decisions import Decision, Follower, decisions_of
from nas_core.search.standing import best_and_others
from nas_core.search.surrogate import normal_scores
from nas_core.spaces.variables import Chooser

__all__ = ["GpStrategy", "TpeStrategy"]

MOST = 100
"""Candidates that the study is filled with: the best half of them, and a random half of the others."""

GP_MOST, GP_DECISIONS = 48, 10
"""Candidates that the process is fitted to, and decisions that it is asked about, at most."""

GP_EVERY, GP_PACK = 8, 16
"""One in so many asks of a single candidate is put to the process, and one question for so many of a pack."""

GP_BEST = 5
"""Small steps start at one of so many of the best candidates, or at an answer of the process."""


class TpeStrategy(RefittedStrategy):
    """Tree-structured Parzen estimators: choices that are common among good candidates and rare among the others.

    The sampler is Optuna's, over all decisions together. The candidates of one pack count as bad until they are known,
    which keeps a pack apart.

    Source: Bergstra et al. (2011), NeurIPS 24; Watanabe (2023), arXiv 2304.11127; Optuna (Akiba et al. 2019).
    Differs: every trial has every decision that occurs; one that a candidate does not take has an option of its own, or
    one half where it is a number, so conditional choices need no study of their own.
    Costs: some milliseconds per proposal; at most 100 candidates are learned from.
    """

    name: ClassVar[str] = "tpe"
    label: ClassVar[str] = "TPE"
    description: ClassVar[str] = "Prefers choices that are common among the good candidates and rare among the others."

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        from nas_core.search.study import Study, tpe_sampler

        losses = self.losses()
        known = best_and_others(sorted(losses, key=losses.__getitem__), MOST, rng)
        study = Study(
            tpe_sampler(int(rng.integers(2**31))), [self.decisions(c) for c in known], [losses[c] for c in known]
        )
        while True:
            answers = study.answers()
            drawn = {n: int(rng.integers(o)) for n, o in study.options.items() if n not in answers}
            yield Follower(answers | drawn)


class GpStrategy(RefittedStrategy):
    """A Gaussian process over decisions is asked now and then; small steps from the best and from its answers fill up.

    The sampler is Optuna's, with the expected improvement of the Tchebycheff scalar at λ; it takes a tenth of a second
    per question and more with every decision. So it gets one question for 16 candidates of a pack, and one ask in
    eight where candidates are asked for one by one; about at most ten decisions, drawn anew for every ask. The others
    keep the answers of one of the best candidates.

    Source: Optuna (Akiba et al. 2019); Jones et al. (1998) for expected improvement; Li et al. (2017, IJCAI), arXiv
    1802.05400, for asking about a random part of many variables and keeping the others as the best have them.
    Differs: it learns from normal scores of the loss, so outliers do not matter, and from at most 48 candidates.
    Costs: some 0.1 s per question.
    """

    name: ClassVar[str] = "gp"
    label: ClassVar[str] = "GP (Optuna)"
    description: ClassVar[str] = "Asks a Gaussian process now and then, and tries small steps from its answers."

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        losses = self.losses()
        ordered = sorted(losses, key=losses.__getitem__)
        found = [self._standing.architectures[c] for c in ordered[:GP_BEST]]
        if n > 1 or self._asks % GP_EVERY == 0:
            known = best_and_others(ordered, GP_MOST, rng)
            for answers in self._answers(max(1, n // GP_PACK), known, [losses[c] for c in known], rng):
                yield (follower := Follower(answers))
                if (answer := self._space.decide(follower, self._hints)) is not None:
                    found.append(answer)
        while True:
            near, _ = self._space.mutate(found[int(rng.integers(len(found)))], rng, self._hints)
            yield Follower(_answers(decisions_of(self._space, near, self._hints)))

    def _answers(
        self, questions: int, known: Sequence[str], losses: Sequence[float], rng: np.random.Generator
    ) -> Iterator[dict[str, float]]:
        """Yield the answers of the process about a few decisions; the others are those of one of the best."""
        from nas_core.search.study import Study, gp_sampler, one_thread

        told = [self.decisions(c) for c in known]
        kept = told[int(rng.integers(min(GP_BEST, len(told))))]
        asked = sorted(name for name, decision in kept.items() if decision.options != 1)
        if len(asked) > GP_DECISIONS:
            asked = [asked[at] for at in np.sort(rng.choice(len(asked), GP_DECISIONS, replace=False))]
        study = Study(gp_sampler(int(rng.integers(2**31))), told, normal_scores(np.array(losses)).tolist(), asked)
        for _ in range(questions):
            with one_thread():
                answers = study.answers()
            yield _answers(kept) | answers


def _answers(decisions: Mapping[str, Decision]) -> dict[str, float]:
    return {name: decision.answer for name, decision in decisions.items()}
