"""Strategies with the samplers of Optuna: its Parzen estimators, for a pack at once, and its Gaussian process itself.

They are filled from what was told for one ask, so nothing of them is stored and a run goes on exactly after a restart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np

from nas_core.records import Architecture
from nas_core.search.choices import BINS, RefittedStrategy
from nas_core.search.decisions import Decision, Follower
from nas_core.search.parzen import parzen_answers
from nas_core.search.standing import best_and_others
from nas_core.search.surrogate import normal_scores
from nas_core.spaces.variables import Chooser

__all__ = ["GpStrategy", "TpeStrategy"]

MOST = 100
"""Candidates that the densities are fitted to: half of them the best, the others as good as random."""

GP_MOST, GP_DECISIONS = 32, 10
"""Candidates that the process is fitted to, and decisions that it is asked about, at most."""

GP_ALONE, GP_EVERY = 16, 128
"""Candidates for each question: where they are asked for one by one, as then they are trained alone too, and in packs.

A question takes some 0.03 s; so often, it is about 2 % of what training the candidates takes.
"""

GP_BEST = 5
"""Small steps start at one of so many of the best candidates, or at an answer of the process."""


class TpeStrategy(RefittedStrategy):
    """Tree-structured Parzen estimators: choices that are common among good candidates and rare among the others.

    The densities are those of Optuna's multivariate sampler, over all decisions together. They are fitted once for a
    pack; its candidates count as bad until they are known, which keeps a pack apart.

    Source: Bergstra et al. (2011), NeurIPS 24; Watanabe (2023), arXiv 2304.11127; Optuna (Akiba et al. 2019).
    Differs: every candidate has every decision that occurs; one that it does not take has an option of its own, so
    conditional choices need no study of their own. A number is chosen from eight parts and lies anywhere in its part.
    Costs: products of some matrices for a pack; at most 100 candidates are learned from.
    """

    name: ClassVar[str] = "tpe"
    label: ClassVar[str] = "TPE"
    description: ClassVar[str] = "Prefers choices that are common among the good candidates and rare among the others."

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        told = self.answers(best_and_others(self.ordered()[0], MOST))
        options = np.where(told.options > 0, told.options, BINS)
        missing = np.isnan(told.answers)
        parts = np.where(told.options > 0, told.answers, np.minimum(told.answers * BINS, BINS - 1))
        known = np.where(missing, options, parts).astype(np.int64)
        sizes = options + missing.any(axis=0)
        while True:
            for chosen in parzen_answers(known, sizes, n, rng):
                # what would rather not be decided, but is asked for all the same, has any answer
                chosen = np.where(chosen < options, chosen, rng.random(len(options)) * options // 1)
                within = (chosen + rng.random(len(options))) / BINS
                answers = np.where(told.options > 0, chosen, within)
                yield Follower(dict(zip(told.names, answers.tolist(), strict=True)))


class GpStrategy(RefittedStrategy):
    """A Gaussian process over decisions is asked now and then; small steps from the best and from its answers fill up.

    The sampler is Optuna's, with the expected improvement of the Tchebycheff scalar at λ; a question takes as long as
    many small steps, and more with every decision. So there is one for 128 candidates of packs, and for 16 where
    candidates are asked for one by one; about at most ten decisions, drawn anew for every ask. The others keep the
    answers of one of the best candidates.

    Source: Optuna (Akiba et al. 2019); Jones et al. (1998) for expected improvement; Li et al. (2017, IJCAI), arXiv
    1802.05400, for asking about a random part of many variables and keeping the others as the best have them.
    Differs: it learns from normal scores of the loss, so outliers do not matter, and from at most 32 candidates; the
    improvement is climbed from the two most promising of 128 points, not from ten of 2,048.
    Costs: some 0.03 s per question.
    """

    name: ClassVar[str] = "gp"
    label: ClassVar[str] = "GP (Optuna)"
    description: ClassVar[str] = "Asks a Gaussian process now and then, and tries small steps from its answers."

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Architecture]:
        ordered, losses = self.ordered()
        found = [self._standing.architectures[c] for c in ordered[:GP_BEST]]
        every = GP_ALONE if n == 1 else GP_EVERY
        if questions := self._asks * n // every - (self._asks - 1) * n // every:
            known = best_and_others(ordered, GP_MOST)
            for answers in self._answers(questions, known, [losses[c] for c in known], rng):
                if (answer := self._space.decide(Follower(answers), self._hints)) is not None:
                    yield answer
                    found.append(answer)
        while True:
            yield self._space.mutate(found[int(rng.integers(len(found)))], rng, self._hints)[0]

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
