"""A study of Optuna that lives for one ask: what was told goes in, answers of a sampler come out.

Filled by ``add_trial`` a study copies and checks every trial, and compares all their distributions, which costs more
than the answer of a sampler. Here the storage gets finished trials as they are. Imports Optuna, so import it late.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import BaseSampler, GPSampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from nas_core.search.decisions import Decision

__all__ = ["Study", "gp_sampler", "one_thread", "options_of"]

PRELIMINARY, SEARCHES = 128, 2
"""Points that the improvement is looked at before it is climbed, and how many climbs there are."""

LONG_AGO = datetime(2000, 1, 1)


class Study:
    """Asks a sampler that knows some candidates about their decisions.

    A decision that a candidate does not take has an option of its own, or one half where it is a number, so conditional
    choices need no study of their own. Answers that were given count as open trials.

    Args:
        sampler: A new sampler.
        told: The decisions of each candidate.
        losses: One number each, smaller is better; finite.
        names: The decisions to ask about; all that occur when not given.
    """

    def __init__(
        self,
        sampler: BaseSampler,
        told: Sequence[Mapping[str, Decision]],
        losses: Sequence[float],
        names: Sequence[str] | None = None,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        occurring = options_of(told)
        self.options = occurring if names is None else {name: occurring[name] for name in sorted(names)}
        missing = {name for name in self.options for decisions in told if name not in decisions}
        self._distributions = {n: _distribution(count, n in missing) for n, count in self.options.items()}
        storage = InMemoryStorage()
        self._study = optuna.create_study(sampler=sampler, storage=storage)
        number = storage.get_study_id_from_name(self._study.study_name)
        for decisions, loss in zip(told, losses, strict=True):
            taken = {n: _answer(decisions.get(n), count) for n, count in self.options.items()}
            storage.create_new_trial(number, _finished(taken, loss, self._distributions))

    def answers(self) -> dict[str, float]:
        """Return the sampler's next answer to every decision but those that it would rather not take."""
        asked = self._study.ask(fixed_distributions=self._distributions).params
        return {n: asked[n] for n, count in self.options.items() if not count or asked[n] < count}


def options_of(told: Sequence[Mapping[str, Decision]]) -> dict[str, int]:
    """Return how many options each decision that occurs has, 0 for a number, by name in alphabetical order."""
    options: dict[str, int] = {}
    for decisions in told:
        for name, decision in decisions.items():
            options[name] = max(options.get(name, 0), decision.options)
    return {name: options[name] for name in sorted(options)}


def gp_sampler(seed: int) -> BaseSampler:
    """Return a sampler that maximises the expected improvement under a Gaussian process; it computes with torch."""
    with _experiments_allowed():
        sampler = GPSampler(seed=seed, n_startup_trials=2, warn_independent_sampling=False)
    # Its own 2,048 and 10 take most of a question's time; a version without these names only takes longer.
    sampler._n_preliminary_samples, sampler._n_local_search = PRELIMINARY, SEARCHES
    return sampler


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: sums then come in one order, so answers are the same on any machine load."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _experiments_allowed() -> Iterator[None]:
    """Take no notice of what Optuna calls experimental: the whole sampler in its version 4."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield


class _Told(FrozenTrial):
    """A finished trial that the storage takes as it is."""

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenTrial:
        return self


class _Options(CategoricalDistribution):
    """Options that are compared by identity first: a study does so for every trial and parameter."""

    def __eq__(self, other: object) -> bool:
        return self is other or super().__eq__(other)

    __hash__ = CategoricalDistribution.__hash__


def _distribution(options: int, missing: bool) -> BaseDistribution:
    return _Options(tuple(range(options + missing))) if options else FloatDistribution(0.0, 1.0)


def _answer(decision: Decision | None, options: int) -> float:
    """Return the answer of a trial: the option after the last where a choice is not taken."""
    if decision is None:
        return options or 0.5
    return int(decision.answer) if options else float(decision.answer)


def _finished(params: dict[str, float], loss: float, distributions: dict[str, BaseDistribution]) -> FrozenTrial:
    return _Told(
        number=-1, trial_id=-1, state=TrialState.COMPLETE, value=loss, params=params, distributions=distributions,
        user_attrs={}, system_attrs={}, intermediate_values={}, datetime_start=LONG_AGO, datetime_complete=LONG_AGO,
    )  # fmt: skip
