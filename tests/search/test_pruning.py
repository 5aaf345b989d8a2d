"""Proposals to remove options: the exact test, what is found, and that nothing is found where there is nothing."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from nas_core.data.signal import image_signal
from nas_core.evaluation.synthetic import SyntheticEvaluator
from nas_core.objectives import metric_objective
from nas_core.preferences import Preference
from nas_core.records import Estimate, Evaluation, Status
from nas_core.search import Archive, make_strategy
from nas_core.search.pruning import Removal, best_candidates, chance_of_so_few, holm, removable
from nas_core.search.snapshot import Snapshot
from nas_core.spaces import Choice, SearchSpace, SpaceFeature, choices_of, forbid, has, image_space, preset_space

WIDTHS = {"standardised": 1, "quantile": 1, "piecewise": 4, "periodic": 6}
OBJECTIVE = metric_objective("roc_auc", 2)
WISH = Preference()


@cache
def table_space() -> SearchSpace:
    monotone = {name: 0 if name == "periodic" else width for name, width in WIDTHS.items()}
    features = [SpaceFeature(name=f"f{j}", kind="numeric", columns=WIDTHS, monotone_columns=monotone) for j in range(6)]
    return preset_space(tuple(features), 1, "balanced")


@cache
def image_example() -> SearchSpace:
    return image_space(image_signal(1, 8, 8), 10, "balanced")


@cache
def searched(strategy: str = "random", seed: int = 0, n: int = 300, images: bool = False) -> list[Evaluation]:
    """Return what a search with made-up performances found."""
    space = image_example() if images else table_space()
    evaluator = SyntheticEvaluator(space, seed)
    search = make_strategy(strategy, space, seed=seed, preference=WISH, objective=OBJECTIVE)
    found: list[Evaluation] = []
    while len(found) < n:
        told = list(evaluator.evaluate(search.ask(min(50, n - len(found))), stop=threading.Event()))
        search.tell(told)
        found += [e.model_copy(update={"index": len(found) + at}) for at, e in enumerate(told)]
    return found


def lowered(evaluations: Sequence[Evaluation], choice: Choice, by: float) -> list[Evaluation]:
    """Return the evaluations with the performance of those that have ``choice`` lowered."""

    def worse(e: Evaluation) -> Evaluation:
        if e.performance is None or not has(e.architecture, choice):
            return e
        value = max(0.5, e.performance.value - by)
        return e.model_copy(update={"performance": Estimate(value=value, low=value, high=value)})

    return [worse(e) for e in evaluations]


def snapshot_of(evaluations: Sequence[Evaluation]) -> Snapshot:
    archive = Archive(OBJECTIVE)
    archive.add(evaluations)
    return archive.snapshot()


def proposals(evaluations: Sequence[Evaluation], space: SearchSpace | None = None) -> list[Removal]:
    return removable(snapshot_of(evaluations), evaluations, space or table_space(), WISH)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 1)), min_size=1, max_size=9))
def test_the_probability_is_that_of_all_ways_to_hand_out_the_choice(rows: list[tuple[bool, bool, int]]) -> None:
    owners, best, parts = (np.array(column) for column in zip(*rows))
    observed, few, ways = int((owners & best).sum()), 0, 0
    options = []
    for part in np.unique(parts):
        inside = np.flatnonzero(parts == part)
        options.append(list(itertools.combinations(inside.tolist(), int(owners[inside].sum()))))
    for handed in itertools.product(*options):
        ways += 1
        few += int(best[[j for some in handed for j in some]].sum()) <= observed
    assert chance_of_so_few(owners, best, parts) == pytest.approx(few / ways, abs=1e-12)


@pytest.mark.parametrize("total", [0, 1, 7, 40, 10_000, 46_000])
def test_the_probabilities_are_those_of_scipy(total: int) -> None:
    rng = np.random.default_rng(total)
    for _ in range(8):
        owners, best = (rng.random(total) < rng.choice([0.0, 0.02, 0.3, 0.9, 1.0]) for _ in range(2))
        parts = (rng.random(total) < rng.choice([0.0, 0.4])).astype(int)
        mass, observed = np.ones(1), int((owners & best).sum())
        for part in np.unique(parts):
            inside = parts == part
            n, marked, drawn = int(inside.sum()), int(best[inside].sum()), int(owners[inside].sum())
            mass = np.convolve(mass, hypergeom.pmf(np.arange(min(marked, drawn) + 1), n, marked, drawn))
        expected = min(1.0, mass[: observed + 1].sum())
        assert chance_of_so_few(owners, best, parts) == pytest.approx(expected, rel=1e-9, abs=1e-250)


def test_holm_steps_down_and_never_below_an_earlier_one() -> None:
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
    assert holm(np.array([])).shape == (0,)


def test_a_planted_useless_option_is_found_with_its_evidence() -> None:
    useless = Choice("activation", "sigmoid")
    found = lowered(searched(), useless, 0.3)
    (removal,) = [r for r in proposals(found) if r.choice == useless]
    assert removal.tried == sum(has(e.architecture, useless) for e in found if e.status is Status.DONE) == removal.anew
    assert removal.among_best < removal.expected / 3
    assert removal.p < 0.05
    snapshot = snapshot_of(found)
    best, front = best_candidates(snapshot, WISH)
    assert removal.best == best.sum()
    assert not any(has(e.architecture, useless) for e, on in zip(found, front) if on)
    kept = Archive(OBJECTIVE)
    kept.add([e for e in found if not has(e.architecture, useless)])
    assert kept.hypervolume() == pytest.approx(removal.hypervolume, abs=1e-12)
    assert removal.sentence.startswith(f"Activation = sigmoid: tried {removal.tried} times, never on the front; ")
    smaller = forbid(table_space(), removal.choice)
    assert all(not smaller.validate_architecture(e.architecture) for e, on in zip(found, front) if on)


def test_what_matters_and_what_does_nothing_is_left_alone() -> None:
    for seed in range(4):
        found = lowered(searched(seed=seed), Choice("activation", "sigmoid"), 0.3)
        named = {(r.choice.variable, r.choice.option) for r in proposals(found)}
        assert named <= {("activation", "sigmoid"), ("encoding", "periodic")}, "periodic bins allow no monotone promise"


def test_where_nothing_matters_at_most_one_search_in_twenty_proposes_anything() -> None:
    found, rng = searched(n=240), np.random.default_rng(0)
    snapshot, wrong, runs = snapshot_of(found), 0, 100
    for _ in range(runs):
        shuffled = [
            e.model_copy(update={"architecture": found[at].architecture})
            for e, at in zip(found, rng.permutation(len(found)))
        ]
        wrong += bool(removable(snapshot, shuffled, table_space(), WISH))
    assert wrong <= 0.05 * runs


@pytest.mark.parametrize("strategy", ["nsga2", "regularised_evolution"])
def test_what_runs_in_families_is_no_evidence(strategy: str) -> None:
    """An optimiser does nothing here, and yet whole families of good candidates share one."""
    named = [r.choice for seed in range(6) for r in proposals(searched(strategy, seed))]
    assert not [c for c in named if c.variable in ("optimiser", "weight_decay")]


def test_inherited_choices_do_not_count_as_tries() -> None:
    useless = Choice("activation", "sigmoid")
    found = lowered(searched(), useless, 0.3)
    parent = next(e for e in found if has(e.architecture, useless))
    related = [e.model_copy(update={"parents": (parent.id,)}) if has(e.architecture, useless) else e for e in found]
    assert not [r for r in proposals(related) if r.choice == useless], "one founder is one try"


def test_what_is_on_the_front_or_adds_volume_is_never_proposed() -> None:
    useless = Choice("activation", "sigmoid")
    found = lowered(searched(), useless, 0.3)
    at = next(at for at, e in enumerate(found) if has(e.architecture, useless) and e.status is Status.DONE)
    lucky = found[at].model_copy(update={"performance": Estimate(value=0.9999, low=0.9, high=1.0)})
    assert not [r for r in proposals([*found[:at], lucky, *found[at + 1 :]]) if r.choice == useless]


def test_too_few_candidates_and_closed_choices_give_no_proposals() -> None:
    useless = Choice("activation", "sigmoid")
    found = lowered(searched(), useless, 0.3)
    assert proposals(found[:20]) == []
    assert proposals([]) == []
    assert not [r for r in proposals(found, forbid(table_space(), useless)) if r.choice == useless]
    failed = [e.model_copy(update={"status": Status.FAILED, "performance": None}) for e in found]
    assert proposals(failed) == []


def test_the_options_of_images_are_looked_at_too() -> None:
    useless = Choice("stages.operations", "conv5")
    found = lowered(searched(images=True), useless, 0.3)
    assert useless in [r.choice for r in proposals(found, image_example())]


def test_the_sentence_reads_well() -> None:
    choice = next(c for c in choices_of(table_space()) if c.option == "sigmoid")
    first = Removal(choice, 41, 41, 1, 7.41, 62, 0.0042, 0.9712)
    assert first.sentence == (
        "Activation = sigmoid: tried 41 times, never on the front; 1 of them is among the best 62, chance would give "
        "7.4 (p = .004). Without it the hypervolume is the same: .971."
    )
    second = Removal(choice, 1234, 230, 0, 123.4, 62, 1e-9, 0.9712)
    assert "of the 230 that did not inherit it none is among the best 62, chance would give 123 (p < .001)" in (
        second.sentence
    )
    assert "; 2 of them are among" in Removal(choice, 41, 41, 2, 0.41, 62, 0.01, 0.5).sentence


def test_a_proposal_of_nobody_is_no_parent() -> None:
    orphan = [e.model_copy(update={"parents": ("feedfeedfeedfeed",)}) for e in searched(n=60)]
    assert proposals(orphan) == proposals(searched(n=60))
