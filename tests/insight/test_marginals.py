"""The exact integrals of a forest, against adding up every combination of answers."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from searched import answered, option_facet

from nas_core.insight.forest import Forest
from nas_core.insight.importance import Explained, explained
from nas_core.insight.marginals import ANSWERS, answers_of

OPTIONS = (2, 3, 4)


def made(seed: int) -> tuple[Forest, Explained]:
    facets, answers = answered(90, OPTIONS, seed)
    rng = np.random.default_rng(seed)
    table = rng.normal(size=OPTIONS)
    found = explained(facets, table[tuple(answers.T)] + 0.1 * rng.normal(size=90), seed=seed)
    return found.forest, found


def every_answer(found: Explained) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each combination of answers as indices (c, F), numbers (c, D) and its weight (c,)."""
    answers = found.answers
    at = np.array(list(product(*(range(len(a.weights)) for a in answers))))
    rows = np.concatenate([a.rows[at[:, p]] for p, a in enumerate(answers)], axis=1)
    weights = np.prod([a.weights[at[:, p]] for p, a in enumerate(answers)], axis=0)
    return at, rows.astype(np.float32), weights


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_integrals_are_those_over_every_combination(seed: int) -> None:
    forest, found = made(seed)
    at, rows, weights = every_answer(found)
    for part, boxes in list(zip(forest.parts, found.boxes))[:3]:
        f = part.predict(rows)
        mean = weights @ f
        variance = weights @ (f - mean) ** 2
        assert np.isclose(boxes.mean, mean, atol=1e-6)
        whole, alone, jointly = boxes.variances(pairs=True)
        assert np.isclose(whole, variance, rtol=1e-3, atol=1e-6)
        for p in range(len(OPTIONS)):
            curve = np.array([np.average(f[at[:, p] == u], weights=weights[at[:, p] == u]) for u in range(OPTIONS[p])])
            w = found.answers[p].weights
            assert np.allclose(boxes.curve(p), curve, atol=1e-5)
            assert np.isclose(alone[p], w @ (curve - mean) ** 2, rtol=1e-3, atol=1e-6)
        for (p, q), joint in jointly.items():
            surface, square = boxes.surface(p, q), 0.0
            for u, v in product(range(OPTIONS[p]), range(OPTIONS[q])):
                here = (at[:, p] == u) & (at[:, q] == v)
                value = np.average(f[here], weights=weights[here])
                assert np.isclose(surface[u, v], value, atol=1e-5)
                square += weights[here].sum() * (value - mean) ** 2
            assert np.isclose(joint, square, rtol=1e-3, atol=1e-6)


def test_a_facet_of_many_answers_is_integrated_over_a_sample_of_them() -> None:
    many = ANSWERS + 200
    answers, few = answers_of([option_facet("a", np.arange(many), many), option_facet("b", np.arange(many) % 3, 3)])
    assert answers.rows.shape == (ANSWERS, many)
    assert len(few.weights) == 3
    assert np.isclose(answers.weights.sum(), 1.0)
    assert np.allclose(few.weights, np.bincount(np.arange(many) % 3)[few.level] / many)
