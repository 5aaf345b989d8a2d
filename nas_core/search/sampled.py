"""A strategy that leaves the choosing to a sampler of Optuna: tree-structured Parzen estimators.

The study lives in memory for one ask and is filled from what was told, so nothing of it is stored and a run goes on
exactly after a restart.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from nas_core.search.choices import ChoiceStrategy
from nas_core.search.decisions import Decision, Follower
from nas_core.search.standing import best_and_others
from nas_core.spaces.variables import Chooser

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

__all__ = ["TpeStrategy"]

MOST = 100
"""Candidates that the study is filled with: the best half of them, and a random half of the others."""


class TpeStrategy(ChoiceStrategy):
    """Tree-structured Parzen estimators: choices that are common among good candidates and rare among the others.

    The sampler is Optuna's, over all decisions together. The candidates of one pack count as bad until they are known,
    which keeps a pack apart.

    Source: Bergstra et al. (2011), NeurIPS 24; Watanabe (2023), arXiv 2304.11127; Optuna (Akiba et al. 2019).
    Differs: every trial has every decision that occurs; one that a candidate does not take has an option of its own, or
    one half where it is a number, so conditional choices need no study of their own.
    Costs: some 10 ms per proposal; at most 100 candidates are learned from.
    """

    name: ClassVar[str] = "tpe"
    label: ClassVar[str] = "TPE"
    description: ClassVar[str] = "Prefers choices that are common among the good candidates and rare among the others."

    def _begin(self) -> None:
        """Nothing is kept: the study is filled at every ask."""

    def _learn(self, fresh: Sequence[str]) -> None:
        """Nothing to do before the next ask."""

    def _learned(self) -> dict[str, Any]:
        return {}

    def _relearn(self, learned: dict[str, Any]) -> None:
        """Nothing is kept."""

    def _answers(self, rng: np.random.Generator) -> Iterator[dict[str, float]]:
        """Yield answers of the sampler to every decision; what it does not take, but may be asked, is drawn."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        losses = self.losses()
        ordered = best_and_others(sorted(losses, key=lambda c: (losses[c], c)), MOST, rng)
        told = [self.decisions(c) for c in ordered]
        options = {name: d.options for decisions in told for name, d in decisions.items()}
        distributions = {name: _distribution(options[name]) for name in sorted(options)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=int(rng.integers(2**31)), multivariate=True, constant_liar=True, n_startup_trials=2
            )
        study = optuna.create_study(sampler=sampler)
        for candidate, decisions in zip(ordered, told):
            taken = {name: _answer(decisions.get(name), count) for name, count in options.items()}
            study.add_trial(optuna.create_trial(params=taken, distributions=distributions, value=losses[candidate]))
        while True:
            asked = study.ask(fixed_distributions=distributions).params
            missing = {n for n, count in options.items() if count and asked[n] == count}
            yield {n: int(rng.integers(options[n])) if n in missing else asked[n] for n in sorted(asked)}

    def _choosers(self, n: int, rng: np.random.Generator) -> Iterator[Chooser]:
        for answers in self._answers(rng):
            yield Follower(answers)


def _answer(decision: Decision | None, options: int) -> float:
    """Return the answer of a trial: the option after the last where a choice is not taken."""
    if decision is None:
        return options or 0.5
    return int(decision.answer) if options else float(decision.answer)


def _distribution(options: int) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    return CategoricalDistribution(tuple(range(options + 1))) if options else FloatDistribution(0.0, 1.0)
