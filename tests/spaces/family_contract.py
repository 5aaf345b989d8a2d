"""What every search-space family keeps; a new family inherits this class and says which spaces to try."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from nas_core.records import Architecture, canonical_json
from nas_core.search.decisions import Follower, Scribe
from nas_core.spaces import SearchSpace, facts, graph


class FamilyContract:
    """Inherit, and override ``spaces`` with a few spaces of the family."""

    def spaces(self) -> list[SearchSpace]:
        raise NotImplementedError

    def drawn(self, n: int = 40) -> list[tuple[SearchSpace, list[Architecture]]]:
        return [(s, [s.sample(np.random.default_rng([7, i])) for i in range(n)]) for s in self.spaces()]

    def test_samples_belong_to_the_space_and_are_fixed_points_of_the_canonical_form(self) -> None:
        for space, drawn in self.drawn():
            for a in drawn:
                assert space.validate_architecture(a) == []
                assert space.architecture(a.values) == a

    def test_same_seed_gives_the_same_architecture_and_other_seeds_others(self) -> None:
        for space, drawn in self.drawn():
            assert [space.sample(np.random.default_rng([7, i])) for i in range(len(drawn))] == drawn
            assert len({a.id for a in drawn}) > 1

    def test_mutation_gives_another_valid_architecture(self) -> None:
        for space, drawn in self.drawn():
            rng = np.random.default_rng(0)
            for a in drawn:
                child, operator = space.mutate(a, rng)
                assert child != a
                assert operator != "unchanged"
                assert space.validate_architecture(child) == []

    def test_mutation_and_crossover_leave_the_parents_alone(self) -> None:
        for space, drawn in self.drawn(10):
            before = [canonical_json(a.values) for a in drawn]
            rng = np.random.default_rng(0)
            for a, b in itertools.pairwise(drawn):
                child = space.crossover(a, b, rng)
                space.mutate(child, rng)
                assert space.validate_architecture(child) == []
            assert [canonical_json(a.values) for a in drawn] == before

    def test_neighbours_are_distinct_valid_others_in_a_fixed_order(self) -> None:
        for space, drawn in self.drawn(5):
            for a in drawn:
                near = list(itertools.islice(space.neighbours(a), 60))
                assert near == list(itertools.islice(space.neighbours(a), 60))
                assert len({b.id for b in near} | {a.id}) == len(near) + 1
                assert all(space.validate_architecture(b) == [] for b in near)

    def test_encoding_has_one_length_names_and_finite_entries(self) -> None:
        for space, drawn in self.drawn():
            names = space.encode_names()
            codes = np.array([space.encode(a) for a in drawn])
            assert codes.shape == (len(drawn), len(names))
            assert len(set(names)) == len(names)
            assert np.isfinite(codes).all()
            assert np.abs(codes).max() <= 1

    def test_json_and_yaml_give_the_space_back(self) -> None:
        for space in self.spaces():
            for back in (SearchSpace.from_json(space.to_json()), SearchSpace.from_yaml(space.to_yaml())):
                assert back == space
                assert back.id == space.id
                assert back.sample(np.random.default_rng(3)) == space.sample(np.random.default_rng(3))

    def test_graph_is_acyclic_and_sums_to_the_facts(self) -> None:
        networkx = pytest.importorskip("networkx")
        for space, drawn in self.drawn(20):
            for a in drawn:
                picture, known = graph(space, a), facts(space, a)
                assert networkx.is_directed_acyclic_graph(picture)
                assert sum(n["parameters"] for _, n in picture.nodes(data=True)) == known.parameters
                assert sum(n["operations"] for _, n in picture.nodes(data=True)) == known.operations
                assert known.operations <= known.max_operations

    def test_initial_proposals_are_distinct_valid_and_reproducible(self) -> None:
        for space in self.spaces():
            first = space.initial(30, np.random.default_rng(5))
            assert len({p.architecture.id for p in first}) == len(first) <= 30
            assert all(space.validate_architecture(p.architecture) == [] for p in first)
            assert first == space.initial(30, np.random.default_rng(5))

    def test_the_decisions_of_an_architecture_make_it_again(self) -> None:
        for space, drawn in self.drawn():
            options: dict[str, int] = {}
            for a in drawn:
                scribe = Scribe()
                assert space.decide(scribe, None, a) == a
                assert space.decide(Follower({n: d.answer for n, d in scribe.told.items()})) == a
                for name, decision in scribe.told.items():  # the same question always has the same options
                    assert options.setdefault(name, decision.options) == decision.options

    def test_any_decisions_make_a_valid_architecture_or_none(self) -> None:
        for space in self.spaces():
            rng, found = np.random.default_rng(3), []
            for _ in range(30):
                decided = space.decide(Dice(rng))
                if decided is not None:
                    assert space.validate_architecture(decided) == []
                    found.append(decided)
            assert len(found) >= 15
            assert len({a.id for a in found}) > 1


class Dice:
    """Decides at random."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, name: str, options: Sequence[Any], like: int | None) -> int:
        return int(self.rng.integers(len(options)))

    def number(self, name: str, like: float | None) -> float:
        return float(self.rng.random())
