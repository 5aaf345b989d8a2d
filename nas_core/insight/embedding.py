"""All candidates on a plane, near where their choices are alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from nas_core.insight.facets import Facet

__all__ = ["Embedding", "embedding_of"]

LANDMARKS = 1000
"""Candidates that span the plane; of more, as many drawn at random, and the others are projected onto it."""


@dataclass(frozen=True)
class Embedding:
    """n candidates on a plane.

    Attributes:
        points: (n, 2).
        held: The share of the variation (of the squared distances between candidates) that the two axes hold.
        landmarks: How many candidates span the plane.
    """

    points: np.ndarray = field(repr=False)
    held: float
    landmarks: int


def embedding_of(facets: Sequence[Facet], *, seed: int = 0, landmarks: int = LANDMARKS) -> Embedding:
    """Return n candidates on the plane that keeps their distances best.

    The distance of two candidates is that of their answers, each facet scaled so that all facets vary alike; where
    nothing was decided, the mean answer stands in. Classical scaling of Euclidean distances is the projection on
    principal components; with many candidates they are those of a sample. Each axis points to where its largest
    loading is positive, so the same candidates give the same picture.

    Source: Torgerson (1952), Gower (1966); de Silva & Tenenbaum (2004), "Sparse multidimensional scaling using landmark
    points". Equal blocks as in Escofier & Pagès (1994), whose blocks have equal first eigenvalues instead.
    Costs: O(n D + m² D) for m landmarks and D numbers.

    Args:
        facets: What the n candidates decided; without one all lie at one place.
        seed: Decides the landmarks.
        landmarks: How many at most.
    """
    n = len(facets[0].columns) if facets else 0
    if not facets or n < 2:
        return Embedding(np.zeros((n, 2)), 0.0, n)
    X = np.concatenate([_scaled(f) for f in facets], axis=1)
    chosen = np.arange(n)
    if n > landmarks:
        chosen = np.sort(np.random.default_rng(seed).choice(n, landmarks, replace=False))
    centre = X[chosen].mean(axis=0)
    _, _, axes = np.linalg.svd(X[chosen] - centre, full_matrices=False)
    axes = axes[:2]
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    axes = axes * np.where(signs == 0, 1.0, signs)[:, None]
    points = (X - centre) @ axes.T
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(n)])
    total = float(((X - X.mean(axis=0)) ** 2).sum())
    kept = float(((points - points.mean(axis=0)) ** 2).sum())
    return Embedding(points, kept / total if total > 0 else 0.0, len(chosen))


def _scaled(facet: Facet) -> np.ndarray:
    """Return the answers with mean 0 and a total variance of 1, zero where nothing was decided."""
    columns = facet.columns - facet.columns[facet.decided].mean(axis=0)
    span = np.ptp(facet.columns[facet.decided], axis=0)
    columns = columns / np.where(span > 0, span, 1.0)
    columns[~facet.decided] = 0.0
    variance = float(columns[facet.decided].var(axis=0).sum())
    return np.asarray(columns / np.sqrt(variance if variance > 0 else 1.0))
