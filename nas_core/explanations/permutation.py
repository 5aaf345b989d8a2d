"""Permutation importance: how much worse a candidate gets when a feature is shuffled, in the problem's own metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.base import Candidate
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.moves import Moves
from nas_core.explanations.signal_candidate import SignalCandidate
from nas_core.records import derive_seed

__all__ = [
    "PermutationImportance",
    "Score",
    "Shared",
    "permutation_importance",
    "permutation_rounds",
    "shared_features",
]

Score = Callable[[np.ndarray, np.ndarray], float]
"""The metric of (N,) targets and (N, C) outputs, as ``Part.target`` and ``Problem.judged`` give them."""

REPEATS = 10
MAX_ROWS = 2000
STRONG = 0.8
FEWEST = 10


@dataclass(frozen=True)
class PermutationImportance:
    """What shuffling each feature costs, P values each.

    Attributes:
        feature_names: P names; of signals the cells.
        value: Mean change of the metric for the worse, in its unit; negative where shuffling helped.
        error: Standard error of ``value`` over the repeats: 0 for a feature that is not used, inf after one repeat.
        used: Whether the network reads the feature; of one that it does not, the value is exactly 0.
        score: The metric on the rows as they are.
        metric: Its name for a person.
        repeats, rows: Shuffles of each feature; held-out rows.
    """

    feature_names: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    used: np.ndarray
    score: float
    metric: str
    repeats: int
    rows: int

    @property
    def order(self) -> np.ndarray:
        """(P,) feature indices, the most important first; ties in the order of the data."""
        return np.argsort(-self.value, kind="stable")


@dataclass(frozen=True)
class Shared:
    """A used feature that other features repeat: shuffling it alone does not show all that it carries.

    Attributes:
        feature: The used feature.
        others: Features that rise or fall with it, the closest first.
        correlations: Their Spearman correlations with it.
    """

    feature: int
    others: tuple[int, ...]
    correlations: tuple[float, ...]


def permutation_rounds(
    candidate: Candidate, score: Score, *, repeats: int = REPEATS, rows: int = MAX_ROWS, seed: int = 0
) -> Iterator[PermutationImportance]:
    """Yield the importance after every shuffle of all features: there at once, better each time, closed at any time.

    A feature's values are handed to other held-out rows, so its link to the target and to the other features is cut.

    Source: Breiman (2001), Machine Learning 45; Fisher, Rudin & Dominici (2019), JMLR 20, model reliance.
    Differs: the standard error tells how the shuffles vary, not how other held-out rows would.
    Costs: a repeat costs N passes of the feature's group for each used feature, of signals N passes for each cell.

    Args:
        candidate: Of a table or of signals.
        score: The problem's metric, ``objective.name`` of the problem, of targets and outputs.
        repeats: Shuffles of each feature.
        rows: Most validation rows, spread evenly.
        seed: Of the shuffles; all features use the same ones.

    Raises:
        ExplanationError: There are fewer than two rows, or the metric of them is no number.
        SettingsError: ``repeats`` or ``rows`` is less than 1.
    """
    problem = candidate.problem
    if repeats < 1 or rows < 1:
        raise SettingsError(f"{repeats} repeats of {rows} rows", allowed="1 or more of each", fix="ask for more")
    pick = np.unique(np.linspace(0, len(problem.valid) - 1, min(rows, len(problem.valid))).astype(int))
    if len(pick) < 2:
        raise ExplanationError(
            f"There are {len(pick)} held-out rows", allowed="two or more, so that values can change places",
            fix="use data with more rows, or a larger validation share",
        )  # fmt: skip
    target = problem.valid.target[pick]
    outputs, shuffled = _shuffler(candidate, problem.valid.raw[pick])
    worse = 1.0 if problem.objective.maximise else -1.0
    own = _scored(candidate, score, target, outputs)
    used = np.isin(np.arange(problem.P), candidate.used)
    drops: list[np.ndarray] = []
    for repeat in range(repeats):
        order = np.random.default_rng(derive_seed("permutation", seed, repeat)).permutation(len(pick))
        drop = np.zeros(problem.P)
        for j in candidate.used:
            drop[j] = worse * (own - _scored(candidate, score, target, shuffled(j, order)))
        drops.append(drop)
        every = np.stack(drops)
        error = every.std(0, ddof=1) / np.sqrt(len(every)) if repeat else np.where(used, np.inf, 0.0)
        yield PermutationImportance(
            problem.feature_names, every.mean(0), error, used, own, problem.objective.label, len(every), len(pick)
        )


def permutation_importance(
    candidate: Candidate, score: Score, *, repeats: int = REPEATS, rows: int = MAX_ROWS, seed: int = 0
) -> PermutationImportance:
    """Return the importance after all repeats; see :func:`permutation_rounds`."""
    return list(permutation_rounds(candidate, score, repeats=repeats, rows=rows, seed=seed))[-1]


def shared_features(candidate: TrainedCandidate, *, strong: float = STRONG) -> tuple[Shared, ...]:
    """Return the used features that some feature of the data, used or not, follows with |Spearman| ≥ ``strong``.

    Read on the training rows, missing values imputed; categories of more than two levels have no order and are left
    out. Costs: ranks of P columns and one product of matrices.
    """
    from scipy.stats import rankdata

    X = candidate.problem.train.X
    ordered = [
        j
        for j, spec in enumerate(candidate.problem.dataset.features)
        if (spec.kind == "numeric" or len(np.unique(X[:, j])) == 2) and np.ptp(X[:, j]) > 0
    ]
    if len(X) < FEWEST or len(ordered) < 2:  # so few rows are in the same order by chance
        return ()
    ranks = rankdata(X[:, ordered], axis=0)
    ranks = (ranks - ranks.mean(0)) / ranks.std(0)
    mine = [n for n, j in enumerate(ordered) if j in candidate.used]
    found = []
    for n, row in zip(mine, ranks[:, mine].T @ ranks / len(X)):
        near = [m for m in np.argsort(-np.abs(row), kind="stable") if m != n and abs(row[m]) >= strong]
        if near:
            values = tuple(float(np.clip(row[m], -1, 1)) for m in near)
            found.append(Shared(ordered[n], tuple(ordered[m] for m in near), values))
    return tuple(found)


def _shuffler(
    candidate: Candidate, raw: np.ndarray
) -> tuple[np.ndarray, Callable[[int, np.ndarray], np.ndarray]]:  # fmt: skip
    """Return the outputs (N, C) of raw rows, and what they become with a feature's values taken from other rows."""
    if isinstance(candidate, SignalCandidate):
        return _signal_shuffler(candidate, raw)
    moves = Moves(candidate, raw)
    return moves.outputs, lambda j, order: moves.changed({j: moves.columns(j)[order]})


def _signal_shuffler(
    candidate: SignalCandidate, raw: np.ndarray
) -> tuple[np.ndarray, Callable[[int, np.ndarray], np.ndarray]]:  # fmt: skip
    import torch

    from nas_core.training.device import one_thread

    bank, owner = candidate.encode(raw), candidate.owner

    def run(rows: np.ndarray) -> np.ndarray:
        with torch.inference_mode(), one_thread():
            return candidate.run(torch.from_numpy(rows)).numpy()

    def shuffled(cell: int, order: np.ndarray) -> np.ndarray:
        changed = bank.copy()
        changed[:, owner == cell] = bank[order][:, owner == cell]
        return run(changed)

    return run(bank), shuffled


def _scored(candidate: Candidate, score: Score, target: np.ndarray, outputs: np.ndarray) -> float:
    """Return the metric of outputs (N, C) in the unit of the candidate.

    Raises:
        ExplanationError: It is no number.
    """
    problem = candidate.problem
    scaled = problem.judged((outputs - problem.target_mean) / problem.target_sd)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = float(score(target, scaled))
    if not np.isfinite(found):
        raise ExplanationError(
            f"{problem.objective.label} is {found} on {len(target)} held-out rows",
            allowed="a number",
            fix="choose a metric that these rows define (ROC AUC needs two classes), or use more rows",
        )
    return found
