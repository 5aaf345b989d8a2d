"""Paths between candidates: they begin and end where they should, greedily, through valid architectures."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from searched import FAMILIES, Searched, searched

from nas_core.errors import SettingsError
from nas_core.insight.ablation import ablation_path, default_ends
from nas_core.insight.importance import Explained, explained
from nas_core.insight.mixing import mixer_of


@cache
def run_of(family: str) -> tuple[Searched, dict[str, Explained]]:
    run = searched(family)
    names = ("performance", "interpretability")
    return run, {n: explained(run.material.facets, run.material.aim(n, run.ranking).values) for n in names}


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FAMILIES), st.integers(0, 10_000))
def test_mixing_nothing_is_the_source_and_everything_the_target(family: str, seed: int) -> None:
    space, rng = run_of(family)[0].space, np.random.default_rng(seed)
    a, b = space.sample(rng), space.sample(rng)
    mixer = mixer_of(space, a, b)
    everything = frozenset(p.key for p in mixer.pieces)
    none = mixer.mixed(frozenset())
    assert none == (a if mixer.pieces else b)
    assert mixer.mixed(everything) == b
    for piece in mixer.pieces:
        some = mixer.mixed(frozenset({piece.key}))
        assert some is None or not space.validate_architecture(some)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_path_leads_from_the_first_landmark_to_the_best(family: str) -> None:
    run, found = run_of(family)
    source, target = default_ends(run.material, run.ranking)
    assert run.snapshot.operator[run.snapshot.position(source)].startswith("landmark")
    assert run.snapshot.position(target) == run.ranking.best
    path = ablation_path(run.material, found, run.ranking, source, target)
    assert [path.steps[0].candidate, path.steps[-1].candidate] == [source, target]
    assert path.steps[0].pieces == ()
    keys = [p.key for step in path.steps for p in step.pieces]
    assert len(keys) == len(set(keys))
    assert len({s.candidate for s in path.steps}) == len(path.steps)


def test_what_was_evaluated_is_measured_and_the_rest_has_an_interval() -> None:
    run, found = run_of("tabular")
    path = ablation_path(run.material, found, run.ranking, *default_ends(run.material, run.ranking))
    for step in path.steps:
        at = run.snapshot.position(step.candidate)
        assert step.performance.measured == (at is not None)
        if at is not None:
            assert step.performance.value == run.snapshot.performance[at]
            assert step.interpretability.value == run.ranking.interpretability[at]
            assert step.number == run.snapshot.index[at]
        else:
            assert step.performance.low < step.performance.value < step.performance.high <= 1.0
    assert path.predicted == sum(s.number is None for s in path.steps)


def test_the_first_step_is_the_best_single_one() -> None:
    run, found = run_of("cell")
    source, target = default_ends(run.material, run.ranking)
    path = ablation_path(run.material, found, run.ranking, source, target)
    ends = [run.material.architectures[i] for i in (source, target)]
    mixer = mixer_of(run.space, *ends)
    performance = found["performance"].forest
    reached = {p.key: a for p in mixer.pieces if (a := mixer.mixed(frozenset({p.key}))) and a.id != source}
    assert path.steps[1].pieces[0].key in reached
    decided = np.ones((len(reached), len(performance.facets)), dtype=bool)
    predicted = performance.predict([a.values for a in reached.values()], decided).mean(axis=0)
    chosen = list(reached).index(path.steps[1].pieces[0].key)
    if path.steps[1].number is None:
        assert np.isclose(predicted[chosen], path.steps[1].performance.value)


def test_a_candidate_that_failed_or_is_the_same_is_refused() -> None:
    run, found = run_of("tabular")
    fine = run.material.ids[0]
    lost = next(e.id for e in run.evaluations if not e.eligible)
    with pytest.raises(SettingsError, match="no candidate of this run that ended well"):
        ablation_path(run.material, found, run.ranking, lost, fine)
    with pytest.raises(SettingsError, match="to itself"):
        ablation_path(run.material, found, run.ranking, fine, fine)
