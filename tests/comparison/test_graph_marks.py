"""Which boxes of two drawings differ."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from compared_spaces import FAMILIES, space_named

from nas_core.comparison import graph_diff
from nas_core.comparison.graph_diff import graph_marks
from nas_core.spaces import graph


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("aligned", [True, False])
def test_marks_are_the_same_in_number_and_all_same_for_the_same(
    family: str, aligned: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not aligned:
        monkeypatch.setattr(graph_diff, "ALIGNED", 0)
    space = space_named(family)
    for seed in range(6):
        rng = np.random.default_rng(seed)
        a = space.sample(rng)
        b, _ = space.mutate(a, rng)
        one, two = graph(space, a), graph(space, b)
        assert set(graph_marks(one, one)[0].values()) == {"same"}
        left, right = graph_marks(one, two)
        assert (left.keys(), right.keys()) == (set(one), set(two))
        counts = Counter(left.values()), Counter(right.values())
        for mark in ("same", "changed"):
            assert counts[0][mark] == counts[1][mark]


def test_a_network_with_one_more_feature_has_its_boxes_marked() -> None:
    space = space_named("tabular")
    base = next(a for a in (space.sample(np.random.default_rng(s)) for s in range(99)) if len(a.values["groups"]) > 2)
    fewer = space.architecture({**base.values, "groups": base.values["groups"][1:]})
    left, right = graph_marks(graph(space, base), graph(space, fewer))
    assert "only" in left.values()
    assert "only" not in right.values()
