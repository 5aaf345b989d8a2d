"""Simulated-user accuracy: can somebody with a bounded memory foresee a network from its explanations?

Held out of every search: see ``nas_core.audit``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.attribution import Attribution
from nas_core.explanations.base import Candidate, default_background
from nas_core.explanations.choice import choose_explainer
from nas_core.explanations.gates.base import evenly
from nas_core.explanations.gates.repeating import affordable_pairs, rerun
from nas_core.records import Measurement, derive_seed

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["LEVELS", "MEMORY", "Term", "simulated_user_accuracy", "terms_of"]

MEMORY = 5
"""Features, patches, steps or words that the user remembers: what a person keeps in mind at once (Miller 1956 has
7 ± 2, Cowan 2001 has 4)."""
LEVELS = 5  # values that the user tells apart of each: very low, low, middle, high, very high
STUDIED, ASKED, BACKGROUND = 100, 400, 25
FEWEST_STUDIED, FEWEST_ASKED = 10, 10
OPERATIONS = 6_000_000_000  # of explaining what is studied, at most: some seconds
RESAMPLES = 400
NEAR = 0.5  # standard deviations of the output within which a guess of a number counts as right


@dataclass(frozen=True, eq=False)
class Term:
    """One thing to remember: a feature, a patch, a run of steps, or a word wherever it stands.

    Attributes:
        studied, asked: (n,), (m,) which of its levels each row has, from 0.
        values: (n, C) what it adds to each output of the studied rows.
    """

    studied: np.ndarray
    asked: np.ndarray
    values: np.ndarray

    @property
    def size(self) -> float:
        """Mean |φ| over rows and outputs, several outputs against their mean."""
        v = self.values
        return float(np.abs(v - v.mean(1, keepdims=True) if v.shape[1] > 1 else v).mean())

    def recalled(self) -> np.ndarray:
        """Return (m, C) what the user remembers it to add to the asked rows: the mean of its level."""
        whole = self.values.mean(0)
        known = {int(level): self.values[self.studied == level].mean(0) for level in np.unique(self.studied)}
        return np.array([known.get(int(level), whole) for level in self.asked]).reshape(len(self.asked), -1)


def simulated_user_accuracy(
    candidate: Candidate, *, attribution: Attribution | None = None, memory: int = MEMORY, seed: int = 0
) -> Measurement:
    """Return how well a simulated user foresees the network on held-out rows, beyond always guessing the commonest.

    The user studies the attributions of training rows and remembers, of the five features with the largest mean |φ|,
    how much each of up to five levels of its value adds on average. Asked about a validation row, without an
    explanation of it, they add up what they remember. The guess is right when it is the class that the network
    predicts, or a number within half a standard deviation of what it predicts. With hits a and the hits b of the best
    constant guess, the value is (a − b) / (1 − b), cut to [0, 1]; ``raw`` is a. The interval is the 95 % percentile
    interval over resampled validation rows; what is studied stays as it is.

    Source: forward simulation, Doshi-Velez & Kim (2017), arXiv 1702.08608; Hase & Bansal (2020), arXiv 2005.01831;
    simulated users: Chen et al. (2022), arXiv 2206.02256; operations a person can carry out: Slack et al. (2019),
    arXiv 1902.03501.
    Differs: no person, and a user that adds up instead of a trained model, so nothing is learned but what the
    explanation says; no explanation of the asked row is shown, since it could give the answer away (Hase & Bansal);
    corrected for the best constant guess.
    Costs: the explanation of up to 100 rows against up to 25 background rows, one round where it is sampled.

    Args:
        candidate: The network.
        attribution: Attributions to study instead; of all outputs, in the unit of the output.
        memory: How many terms the user remembers.
        seed: Of sampled explanations and of the interval.
    """
    valid = candidate.problem.valid
    asked = valid.raw[evenly(len(valid), ASKED)]
    if len(asked) < FEWEST_ASKED:
        return Measurement(reason=f"it needs {FEWEST_ASKED} held-out rows, there are {len(asked)}")
    truth = candidate.predict(asked)
    if not np.isfinite(truth).all():
        return Measurement(reason="its outputs are not finite numbers")
    try:
        told = studied(candidate, seed) if attribution is None else attribution
    except ExplanationError as error:
        return Measurement(reason=f"there is no explanation to study: {error}")
    why = _unusable(candidate, told)
    if why is not None:
        return Measurement(reason=why)
    terms = sorted(terms_of(candidate.problem, told, asked), key=lambda t: -t.size)[:memory]
    guess = told.base + sum((t.recalled() for t in terms), np.zeros(truth.shape))
    hits, constant = _hits(candidate.problem, guess, truth)
    if constant.all():
        return Measurement(reason="the network answers all held-out rows alike, so there is nothing to foresee")
    draws = np.random.default_rng(derive_seed("asked", seed)).integers(len(hits), size=(RESAMPLES, len(hits)))
    value = _skill(hits.mean(keepdims=True), constant.mean(keepdims=True))[0]
    low, high = np.quantile(_skill(hits[draws].mean(1), constant[draws].mean(1)), (0.025, 0.975))
    kept, lowest, highest = (float(np.clip(v, 0.0, 1.0)) for v in (value, low, high))
    return Measurement(value=kept, raw=float(hits.mean()), low=min(kept, lowest), high=max(kept, highest))


def studied(candidate: Candidate, seed: int) -> Attribution:
    """Return the attributions of training rows by the method that fits, on as many rows as is cheap."""
    from nas_core.spaces.family import facts

    train, explainer = candidate.problem.train, choose_explainer(candidate)
    rows, against = STUDIED, BACKGROUND
    if candidate.problem.dataset.signal is not None:
        operations = max(1, facts(candidate.space, candidate.architecture).operations)
        pairs = affordable_pairs(explainer, candidate, operations, OPERATIONS)
        rows = int(np.clip(pairs // 4, FEWEST_STUDIED, STUDIED))
        against = int(np.clip(pairs // rows, 1, BACKGROUND))
    background = default_background(candidate.problem, against)
    return rerun(explainer, candidate, train.raw[evenly(len(train), rows)], background, seed=seed, passes=1)


def terms_of(problem: Problem, told: Attribution, asked: np.ndarray) -> list[Term]:
    """Return everything that the user could remember of an attribution, with the levels of the ``asked`` raw rows."""
    signal = problem.dataset.signal
    if signal is not None and signal.vocabulary:
        return _words(told, asked)
    shown, wanted = (_shown(problem, np.asarray(X, float)) for X in (told.data, asked))
    features = problem.dataset.features if signal is None else None
    terms = []
    for j in np.flatnonzero((told.values != 0).any((0, 2))):
        categorical = features is not None and features[j].kind == "categorical"
        levels = _commonest(shown[:, j]) if categorical else _edges(shown[:, j])
        place = _named if categorical else _between
        terms.append(Term(place(shown[:, j], levels), place(wanted[:, j], levels), told.values[:, j]))
    return terms


def _unusable(candidate: Candidate, told: Attribution) -> str | None:
    """Return why the user cannot be asked, or None."""
    if len(told.values) < FEWEST_STUDIED:
        return f"it needs {FEWEST_STUDIED} explained rows, there are {len(told.values)}"
    if not (np.isfinite(told.values).all() and np.isfinite(told.base).all()):
        return "some of the attributions are not numbers"
    if told.unit != "output" or told.values.shape[2] != candidate.outputs:
        return "the attributions are not in the unit of all outputs, so they cannot be added up to a guess"
    return None


def _shown(problem: Problem, X: np.ndarray) -> np.ndarray:
    """Return what a user sees of raw rows, (n, P): the values of a table, the mean of every cell of a signal."""
    signal = problem.dataset.signal
    if signal is None:
        return X
    seen = np.full((len(X), problem.P), np.nan)
    for j in range(problem.P):
        own = X[:, signal.owner == j]
        known = ~np.isnan(own)
        counts = known.sum(1)
        seen[:, j] = np.divide(np.where(known, own, 0.0).sum(1), counts, out=seen[:, j], where=counts > 0)
    return seen


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the inner borders between up to LEVELS levels with about as many of the ``values`` each."""
    known = np.unique(values[~np.isnan(values)])
    if len(known) <= LEVELS:
        return (known[1:] + known[:-1]) / 2
    return np.unique(np.quantile(values[~np.isnan(values)], np.linspace(0, 1, LEVELS + 1)[1:-1]))


def _between(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return the level of each value; a missing one has a level of its own."""
    return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))


def _commonest(codes: np.ndarray) -> np.ndarray:
    """Return the LEVELS − 1 commonest codes of a category, those that are kept apart."""
    known, counts = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return np.sort(known[np.argsort(-counts, kind="stable")[: LEVELS - 1]])


def _named(codes: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return the level of each code: its place among those kept apart, one for all others, one for missing."""
    level = np.full(len(codes), len(kept))
    for at, code in enumerate(kept):
        level[codes == code] = at
    return np.where(np.isnan(codes), len(kept) + 1, level)


def _words(told: Attribution, asked: np.ndarray) -> list[Term]:
    """Return a term for every word of the studied rows: how often it stands in a row, and what it adds there."""
    shown = np.nan_to_num(told.data).astype(np.int64)
    wanted = np.nan_to_num(asked).astype(np.int64)
    terms = []
    for word in np.unique(shown[shown > 0]):
        here = shown == word
        added = np.einsum("np,npc->nc", here.astype(float), told.values)
        seen, met = (np.minimum(part.sum(1), LEVELS - 1) for part in (here, wanted == word))
        terms.append(Term(seen, met, added))
    return terms


def _hits(problem: Problem, guess: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (m,) where the user is right, and where the best constant guess is."""
    if problem.task == "regression":
        near = NEAR * float(truth.std())
        if near <= 1e-9 * (1 + float(np.abs(truth).max())):
            return np.ones(len(truth), bool), np.ones(len(truth), bool)
        within = np.abs(truth - truth.T) <= near  # every output tried as the constant
        return np.abs(guess[:, 0] - truth[:, 0]) <= near, within[within.sum(1).argmax()]
    said, answered = (_classes(outputs) for outputs in (guess, truth))
    return said == answered, answered == np.bincount(answered).argmax()


def _classes(outputs: np.ndarray) -> np.ndarray:
    return np.asarray((outputs[:, 0] > 0) if outputs.shape[1] == 1 else outputs.argmax(1), np.int64)


def _skill(hits: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Return (a − b) / (1 − b); 0 where the constant guess is always right."""
    left = 1 - constant
    return np.divide(hits - constant, left, out=np.zeros_like(left), where=left > 1e-12)
