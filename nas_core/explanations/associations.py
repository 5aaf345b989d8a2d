"""What the data say of each feature, without a model, beside what a network uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations.permutation import shared_features

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.explanations.candidate import TrainedCandidate

__all__ = ["Associations", "Surprise", "surprises", "target_associations"]

NEIGHBOURS = 3
FEWEST = 20
MAX_ROWS = 2000
UNUSED, SILENT, MATTERS = 0.5, 0.05, 0.1


@dataclass(frozen=True)
class Associations:
    """How each of P features goes with the target on the training rows, by itself.

    Attributes:
        feature_names: P names.
        information: (P,) mutual information with the target in nats; NaN with a reason.
        correlation: (P,) Spearman correlation with the target in [-1, 1]; NaN where there is no order: categories, or a
            target of more than two classes.
        rows: Training rows that were read, at most 2000.
        reasons: (P,) why there is no information; empty where there is.
    """

    feature_names: tuple[str, ...]
    information: np.ndarray
    correlation: np.ndarray
    rows: int
    reasons: tuple[str, ...]

    @property
    def shares(self) -> np.ndarray:
        """(P,) information as a share of the largest, 0 where there is none."""
        known = np.nan_to_num(self.information)
        largest = float(known.max(initial=0.0))
        return known / largest if largest > 0 else np.zeros(len(known))


@dataclass(frozen=True)
class Surprise:
    """A feature of which the data and the network say different things.

    Attributes:
        feature: Which one.
        kind: "unused": by itself it tells much of the target, and the network does not use it; "silent": the network
            uses it much, and by itself it tells next to nothing: it matters together with others, or by chance.
        stands_in: Used features that rise and fall with an unused one, the closest first.
    """

    feature: int
    kind: Literal["unused", "silent"]
    stands_in: tuple[int, ...] = ()


def target_associations(problem: Problem, *, rows: int = MAX_ROWS, seed: int = 0) -> Associations:
    """Return mutual information and rank correlation of every feature of a table with the target.

    Information is estimated by nearest neighbours of numbers and by counting categories, over the rows that have a
    value. The correlations are those of the problem's hints (missing values imputed there).

    Source: Kraskov et al. (2004), Physical Review E 69; Ross (2014), PLoS ONE 9, as in scikit-learn.
    Costs: O(P N log N); numbers are told apart by a seeded noise of 1e-10 of their size.

    Args:
        problem: Of a table.
        rows: Most training rows, spread evenly.
        seed: Of that noise.

    Raises:
        ExplanationError: The problem is not a table.
        SettingsError: Fewer than one row is asked for.
    """
    hints = problem.hints
    if hints is None:
        raise ExplanationError(
            f"{problem.dataset.name} holds {problem.dataset.modality} data", allowed="tables",
            fix="look at the cells of single rows instead",
        )  # fmt: skip
    if rows < 1:
        raise SettingsError(f"{rows} rows", allowed="1 or more", fix="ask for more")
    pick = np.unique(np.linspace(0, len(problem.train) - 1, min(rows, len(problem.train))).astype(int))
    X, y = problem.train.raw[pick], problem.train.y[pick]
    known = ~np.isnan(X)
    reasons = tuple(_reason(X[known[:, j], j], y[known[:, j]], problem.task) for j in range(problem.P))
    information = np.full(problem.P, np.nan)
    numeric = np.array([f.kind == "numeric" for f in problem.dataset.features])
    # features that miss the same values are estimated together
    patterns: dict[bytes, list[int]] = {}
    for j in np.flatnonzero([not reason for reason in reasons]):
        patterns.setdefault(known[:, j].tobytes(), []).append(int(j))
    for own in patterns.values():
        at = known[:, own[0]]
        information[own] = _information(X[at][:, own], y[at], ~numeric[own], problem.task, seed)
    ordered = numeric & (len(problem.dataset.classes) <= 2)
    correlation = np.where(ordered & (np.ptp(problem.train.X, axis=0) > 0), hints.direction, np.nan)
    return Associations(problem.feature_names, information, correlation, len(pick), reasons)


def surprises(candidate: TrainedCandidate, found: Associations, importance: np.ndarray) -> tuple[Surprise, ...]:
    """Return the features of which the data and the candidate say different things, the largest difference first.

    Unused: no importance, and at least half of the largest information. Silent: at least a tenth of the largest
    importance, and less than a twentieth of the largest information.

    Args:
        candidate: Of a table.
        found: What the data say.
        importance: (P,) not negative, of any attribution; its unit does not matter.

    Raises:
        SettingsError: The importance has another length, or is negative or not finite.
    """
    importance = np.asarray(importance, float)
    if importance.shape != (len(found.feature_names),) or not (importance >= 0).all() or np.isinf(importance).any():
        raise SettingsError(
            f"An importance of shape {importance.shape}",
            allowed=f"{len(found.feature_names)} numbers, 0 or more: one per feature",
            fix="pass mean absolute attributions",
        )
    largest = float(importance.max(initial=0.0))
    weight = importance / largest if largest > 0 else importance
    told = found.shares
    followers: dict[int, list[tuple[float, int]]] = {}
    for shared in shared_features(candidate):
        for other, value in zip(shared.others, shared.correlations):
            followers.setdefault(other, []).append((-abs(value), shared.feature))
    result = []
    for j in range(len(told)):
        known = not np.isnan(found.information[j])
        if known and weight[j] == 0 and told[j] >= UNUSED:
            stands_in = tuple(k for _, k in sorted(followers.get(j, [])) if weight[k] > 0)
            result.append((told[j], Surprise(j, "unused", stands_in)))
        elif known and weight[j] >= MATTERS and told[j] < SILENT:
            result.append((weight[j], Surprise(j, "silent")))
    return tuple(s for _, s in sorted(result, key=lambda pair: -pair[0]))


def _reason(x: np.ndarray, y: np.ndarray, task: str) -> str:
    """Return why the known values (n,) of a feature tell nothing of the target (n,); empty where they may."""
    if len(x) < FEWEST:
        return f"it has a value in {len(x)} training rows; {FEWEST} are needed"
    if x.min() == x.max():
        return "it has one value only"
    if y.min() == y.max():
        return "the target is the same in all rows that have a value of it"
    if task == "classification" and np.unique(y, return_counts=True)[1].max() < 2:
        return "no class has two rows"
    return ""


def _information(X: np.ndarray, y: np.ndarray, discrete: np.ndarray, task: str, seed: int) -> np.ndarray:
    """Return mutual information in nats (k,) of columns (n, k) with the target (n,)."""
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    estimate = mutual_info_classif if task == "classification" else mutual_info_regression
    return estimate(X, y, discrete_features=discrete, n_neighbors=NEIGHBOURS, random_state=seed)
