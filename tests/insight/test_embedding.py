"""The map of candidates, against classical scaling of the distances themselves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from searched import answered, option_facet, searched

from nas_core.insight.embedding import embedding_of


def distances(points: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(points[:, None] - points[None], axis=-1))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_it_is_classical_scaling_of_the_distances(seed: int) -> None:
    facets = answered(40, (2, 3, 4), seed)[0]
    found = embedding_of(facets)
    blocks = []
    for f in facets:
        centred = f.columns - f.columns.mean(axis=0)
        blocks.append(centred / np.sqrt(centred.var(axis=0).sum()))
    D2 = distances(np.concatenate(blocks, axis=1)) ** 2
    J = np.eye(40) - 1 / 40
    values, vectors = np.linalg.eigh(-0.5 * J @ D2 @ J)
    known = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    if values[-2] - values[-3] > 1e-6 * values[-1]:  # else the plane is not unique
        assert np.allclose(distances(found.points), distances(known), atol=1e-6)
    assert np.isclose(found.held, values[-2:].sum() / values[values > 0].sum())


def test_two_numbers_lie_on_the_plane_exactly() -> None:
    facets = [option_facet("a", np.arange(20) % 2, 2), option_facet("b", (np.arange(20) // 2) % 2, 2)]
    assert np.isclose(embedding_of(facets).held, 1.0)


def test_the_same_candidates_give_the_same_picture_and_landmarks_nearly() -> None:
    run = searched("tabular", 80)
    one, two = embedding_of(run.material.facets), embedding_of(run.material.facets)
    assert np.array_equal(one.points, two.points)
    few = embedding_of(run.material.facets, landmarks=50)
    assert few.landmarks == 50
    assert few.points.shape == one.points.shape
    assert 0.5 * one.held < few.held <= one.held + 1e-9


def test_one_candidate_and_no_facet_are_a_point() -> None:
    assert embedding_of([]).points.shape == (0, 2)
    assert embedding_of([option_facet("a", np.array([1]), 2)]).points.tolist() == [[0.0, 0.0]]
