"""How much of the variation of an aim each choice explains: functional analysis of variance, and SHAP beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from nas_core.insight.facets import Facet
from nas_core.insight.forest import Forest, Part, Reliability
from nas_core.insight.marginals import Answers, Boxes, answers_of, boxes_of

__all__ = ["Explained", "Importance", "Pair", "Share", "explained", "importance_of", "pairs_of"]

SHAP_ROWS = 128
"""Candidates whose SHAP values are averaged."""
Z = 1.96


@dataclass(frozen=True)
class Share:
    """A share in [0, 1] with its 95 % bootstrap interval over candidates."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Importance:
    """How much of one aim each of F facets explains.

    Attributes:
        keys, labels: The facets, the most important first.
        main: Of each the share of the surrogate's variance that it explains by itself.
        shap: Of each the mean |SHAP value| as a share of that of all; None where it was not asked for.
        together: The share that none explains by itself: interactions of two and more.
        reliability: How well the surrogate predicts; where it does not, nothing of this means anything.
        n: How many candidates it was fitted to.
    """

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    main: tuple[Share, ...]
    shap: tuple[Share, ...] | None
    together: Share
    reliability: Reliability
    n: int


@dataclass(frozen=True)
class Pair:
    """What two facets explain jointly beyond what they explain alone, as a share of the variance."""

    first: str
    second: str
    labels: tuple[str, str]
    share: Share


@dataclass(frozen=True)
class Explained:
    """A surrogate taken apart: its parts as boxes, ready to be integrated.

    Attributes:
        forest: The surrogate.
        answers: What is integrated over, the same for all parts.
        boxes: The leaves of each part.
    """

    forest: Forest = field(repr=False)
    answers: tuple[Answers, ...] = field(repr=False)
    boxes: tuple[Boxes, ...] = field(repr=False)

    @property
    def facets(self) -> tuple[Facet, ...]:
        """The facets of the candidates that the surrogate was fitted to."""
        return self.forest.facets

    def place(self, key: str) -> int:
        """Return which facet has this key.

        Raises:
            SettingsError: None has.
        """
        from nas_core.errors import SettingsError

        keys = [f.key for f in self.facets]
        if key not in keys:
            raise SettingsError(f"No choice {key!r} varies here", allowed=", ".join(keys), fix="choose one of them")
        return keys.index(key)


def explained(
    facets: Sequence[Facet], values: np.ndarray, *, seed: int = 0, on_progress: Callable[[float], None] | None = None
) -> Explained:
    """Return a surrogate of ``values`` (n,) by the answers to ``facets``, taken apart."""
    forest = Forest(facets, values, seed=seed, on_progress=on_progress)
    answers = answers_of(forest.facets, seed) if forest.parts else ()
    return Explained(forest, answers, tuple(boxes_of(part, forest.slices, answers) for part in forest.parts))


def importance_of(found: Explained, *, shap: bool = False) -> Importance:
    """Return how much each facet explains.

    The share of a facet is the variance of the surrogate's mean over all other facets, as a share of its variance; the
    facets are taken as independent of each other, and each answer as often as it was tried. Shares of single facets sum
    to 1 at most, the rest are interactions. Each of the bootstrap samples has its own shares: the value is their mean,
    the interval ± 1.96 times their standard deviation, inside [0, 1].

    Source: Hutter, Hoos & Leyton-Brown (2014), "An efficient approach for assessing hyperparameter importance"; Sobol
    (1993). SHAP values of trees: Lundberg et al. (2020), 10.1038/s42256-019-0138-9, summed over the numbers of a facet.
    Differs: a facet of many numbers counts as one; the answers are weighted as they were tried, not uniformly; the
    interval is over candidates, not over trees.
    """
    forest, F = found.forest, len(found.facets)
    reliability = forest.reliability()
    shares = np.array([_main_shares(b) for b in found.boxes]).reshape(len(found.boxes), F)
    order = np.argsort(-shares.mean(axis=0), kind="stable") if len(shares) else np.arange(0)
    shap_shares = _shap_shares(forest) if shap and forest.parts else None
    return Importance(
        tuple(found.facets[p].key for p in order),
        tuple(found.facets[p].label for p in order),
        tuple(share_of(shares[:, p]) for p in order),
        None if shap_shares is None else tuple(share_of(shap_shares[:, p]) for p in order),
        share_of(1.0 - shares.sum(axis=1)) if len(shares) else Share(0.0, 0.0, 0.0),
        reliability,
        len(forest.values),
    )


def pairs_of(found: Explained) -> tuple[Pair, ...]:
    """Return what every two facets explain jointly beyond what each explains alone, the most first.

    Costs O(parts · facets² · leaves²), below a second for twelve facets.
    """
    samples: dict[tuple[int, int], list[float]] = {}
    for boxes in found.boxes:
        whole, alone, jointly = boxes.variances(pairs=True)
        for (p, q), variance in jointly.items():
            more = max(variance - alone[p] - alone[q], 0.0) / whole if whole > 0 else 0.0
            samples.setdefault((p, q), []).append(min(more, 1.0))
    facets = found.facets
    pairs = [
        Pair(facets[p].key, facets[q].key, (facets[p].label, facets[q].label), share_of(np.array(shares)))
        for (p, q), shares in samples.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.share.value))


def share_of(samples: np.ndarray) -> Share:
    """Return the mean of bootstrap values (b,) of a share with mean ± 1.96 standard deviations, inside [0, 1]."""
    mean, half = float(samples.mean()), Z * float(samples.std(ddof=1)) if len(samples) > 1 else 0.0
    return Share(min(max(mean, 0.0), 1.0), max(0.0, mean - half), min(1.0, mean + half))


def _main_shares(boxes: Boxes) -> np.ndarray:
    whole, alone, _ = boxes.variances()
    return np.asarray(alone / whole) if whole > 0 else np.zeros(len(alone))


def _shap_shares(forest: Forest) -> np.ndarray:
    """Return the mean |SHAP value| of each facet as a share of that of all, (parts, F)."""
    from nas_core.explanations.borrowed import lent_shap

    found = []
    for number, part in enumerate(forest.parts):
        rng = np.random.default_rng(number)
        n = len(part.columns)
        rows = part.columns[np.sort(rng.choice(n, min(n, SHAP_ROWS), replace=False))]
        with lent_shap(number) as shap:
            values = _shap_values(shap, part, rows)
        size = np.array([np.abs(values[:, s].sum(axis=1)).mean() for s in forest.slices])
        found.append(size / size.sum() if size.sum() > 0 else size)
    return np.array(found)


def _shap_values(shap: object, part: Part, rows: np.ndarray) -> np.ndarray:
    explainer = shap.TreeExplainer(part.model)  # type: ignore[attr-defined]
    return np.asarray(explainer.shap_values(rows, check_additivity=False))
