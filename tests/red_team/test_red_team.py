"""No attacker of the red team reaches the front, at any weight of interpretability; and the guards spare the honest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from attackers import (
    ATTACKS,
    FEATURES,
    Functions,
    Scaffolded,
    architecture,
    archive_of,
    attacked,
    good_logit,
    honest_architectures,
    judged,
    red_problem,
    scaffold,
    standardised,
    trained,
)

from nas_core.audit.eligibility import row_losses
from nas_core.audit.off_data import off_data_check
from nas_core.data import Problem, Recipe
from nas_core.evaluation.packs import NOT_MEASURED
from nas_core.evaluation.performance import metric_values
from nas_core.interpretability import used_features
from nas_core.interpretability.model_agnostic import measure
from nas_core.preferences import Preference
from nas_core.records import Evaluation, Status
from nas_core.search.ranking import winners
from nas_core.spaces import SearchSpace
from nas_core.training.fit import train_pack
from nas_core.training.progress import PackItem, TrainOutcome
from nas_core.training.untrained import untrained_pack

LAMBDAS = np.linspace(0, 1, 21)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return red_problem()


@pytest.fixture(scope="module")
def space(problem: Problem) -> SearchSpace:
    return SearchSpace.for_problem(problem, "accurate")


@pytest.fixture(scope="module")
def honest(problem: Problem, space: SearchSpace) -> list[Evaluation]:
    return trained(problem, space, honest_architectures(space))


def never_on_the_front(problem: Problem, attackers: Sequence[Evaluation], honest: Sequence[Evaluation]) -> None:
    """Assert that no attacker is on the front or the best at any λ, whoever stands beside it."""
    everybody = [*attackers, *(e for e in honest if e.id not in {a.id for a in attackers})]
    snapshot = archive_of(problem, everybody).snapshot()
    where = [snapshot.position(a.id) for a in attackers]
    for weight in LAMBDAS:
        ranking = snapshot.rank(Preference(weight=float(weight)))
        assert ranking.on_front.any()
        assert not ranking.on_front[where].any()
        assert ranking.best not in where
    assert not {interval.position for interval in winners(ranking.losses)} & set(where)


def test_the_guards_spare_honest_networks(honest: list[Evaluation]) -> None:
    assert [e.reason for e in honest] == [""] * len(honest)
    assert all(e.status is Status.DONE for e in honest)


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "log_loss", "f1"])
def test_attackers_that_claim_one_linear_feature_are_not_eligible(name: str, metric: str) -> None:
    problem = red_problem(metric)
    space = SearchSpace.for_problem(problem, "accurate")
    claim = architecture(space, (0,), linear=True)
    (found,) = attacked(problem, space, [(claim, ATTACKS[name])])
    assert found.status is Status.INELIGIBLE
    assert found.reason
    assert all(m.value is None and m.reason == NOT_MEASURED for m in found.measures.values())


@pytest.mark.parametrize("name", ATTACKS)
def test_attackers_that_claim_one_linear_feature_never_reach_the_front(
    name: str, problem: Problem, space: SearchSpace, honest: list[Evaluation]
) -> None:
    claim = architecture(space, (0,), (4,), linear=True)
    never_on_the_front(problem, attacked(problem, space, [(claim, ATTACKS[name])]), honest)


def test_some_of_them_would_have_been_the_best_without_the_guards(problem: Problem, space: SearchSpace) -> None:
    y, ones = problem.valid.target, np.ones((1, len(problem.valid)))
    for name in ("near constant", "saturated"):
        outputs = Functions(problem, [ATTACKS[name]]).predict(problem.valid.E)
        assert metric_values("roc_auc", y, outputs, ones)[0, 0] > 0.65, name


def test_an_untrained_network_with_a_lucky_ranking_is_not_eligible(
    problem: Problem, space: SearchSpace, honest: list[Evaluation]
) -> None:
    claim = architecture(space, (0,), linear=True, learning_rate=0.003)
    items = [PackItem(claim, seed) for seed in range(12)]
    outputs = untrained_pack(problem, space, items, device="cpu").predict(problem.valid.E)
    auc = metric_values("roc_auc", problem.valid.target, outputs, np.ones((1, len(problem.valid))))[:, 0]
    lucky = int(np.argmax(auc))
    assert auc[lucky] > honest[0].performance.value - 0.01  # as good as the honest one that reads the same feature
    start = float(row_losses(problem, outputs[lucky]).mean())
    told = TrainOutcome("done", "", {"train_loss": [start], "valid_loss": [start]}, -1, 0.1, start, start)
    pack = untrained_pack(problem, space, [items[lucky]], device="cpu")
    found = judged(problem, space, [claim], pack, told)
    assert found[0].status is Status.INELIGIBLE
    assert f"It has not learnt: training brought its validation loss from {start:.4g} to {start:.4g}" in found[0].reason
    never_on_the_front(problem, found, honest)


def test_a_network_whose_training_does_next_to_nothing_is_not_eligible(
    problem: Problem, space: SearchSpace, honest: list[Evaluation]
) -> None:
    slow = architecture(space, (0,), (3,), linear=True, optimiser="sgd", learning_rate=1e-3)
    found = trained(problem, space, [slow], recipe=Recipe(max_epochs=1, batch_size=720, patience=1))
    assert found[0].status is Status.INELIGIBLE
    assert "It has not learnt" in found[0].reason or "No better than" in found[0].reason
    never_on_the_front(problem, found, honest)


def test_leaked_weights_buy_nothing(problem: Problem, space: SearchSpace, honest: list[Evaluation]) -> None:
    """A network that reads everything but uses one feature is as good as that feature, and pays for all it reads."""
    claim = architecture(space, *((j,) for j in range(FEATURES)), linear=True)
    found = attacked(problem, space, [(claim, lambda Z: 1.2 * Z[:, 0] + 1e-6 * Z[:, 1:].sum(1))])
    assert found[0].status is Status.DONE
    never_on_the_front(problem, found, honest)


def test_a_weight_of_a_millionth_is_not_use_and_one_that_is_scaled_up_is() -> None:
    X = np.random.default_rng(0).normal(size=(500, 3))
    leaked = lambda Z: (Z[:, 0] + 1e-6 * Z[:, 1])[:, None]  # noqa: E731
    scaled = lambda Z: (Z[:, 0] + 1e6 * (1e-6 * Z[:, 1]))[:, None]  # noqa: E731
    assert used_features(leaked, X) == (0,)
    assert used_features(scaled, X) == (0, 1)
    found = {name: measure(f, X, task="regression", seed=0) for name, f in (("leaked", leaked), ("scaled", scaled))}
    assert found["leaked"]["feature_parsimony"].raw == 1
    assert found["scaled"]["feature_parsimony"].raw == 2


def test_a_scaffold_never_reaches_the_front(problem: Problem, space: SearchSpace) -> None:
    """To tell data from mixtures it must read all features together, which its architecture admits."""
    best = honest_architectures(space)[3]
    result = train_pack(problem, space, [PackItem(best, 1)], device="cpu")
    found = judged(problem, space, [best], result.pack, result.outcomes[0])
    claim = architecture(space, tuple(range(FEATURES)), depth=1)
    attacker = judged(problem, space, [claim], Scaffolded(problem, result.pack), result.outcomes[0])
    assert attacker[0].status is Status.DONE  # it predicts as well as the honest one; what it lacks is not accuracy
    assert attacker[0].performance == found[0].performance
    assert attacker[0].measures["interaction_sparsity"].value == 0.0
    assert attacker[0].measures["additivity"].value < 0.9  # of what it does on data, not of what it shows on mixtures
    never_on_the_front(problem, attacker, found)


def test_a_scaffold_is_flagged_and_honest_functions_are_not(problem: Problem) -> None:
    X, known = problem.valid.raw, problem.train.raw
    found = off_data_check(standardised(problem, scaffold), X, known=known)
    assert found.flagged, found
    assert "On mixtures of rows it is another function than on the data" in found.words
    for function in (good_logit, lambda Z: 2.0 * Z[:, 0], lambda Z: np.tanh(Z[:, 0] + Z[:, 3]), lambda Z: Z.sum(1)):
        spared = off_data_check(standardised(problem, function), X, known=known)
        assert not spared.flagged, spared.words


def test_honest_networks_that_read_everything_at_once_are_not_flagged(problem: Problem, space: SearchSpace) -> None:
    dense = [
        architecture(space, tuple(range(FEATURES)), depth=d, activation=a) for d in (1, 2) for a in ("tanh", "relu")
    ]
    pack = train_pack(problem, space, [PackItem(a, k) for k, a in enumerate(dense)], device="cpu").pack
    for k in range(len(dense)):
        predict = lambda X, k=k: pack.predict(problem.encode(X))[k]  # noqa: E731
        found = off_data_check(predict, problem.valid.raw, known=problem.train.raw)
        assert not found.flagged, found.words
        assert found.lost is not None


def test_a_local_fit_is_not_raised_by_a_scaffold(problem: Problem) -> None:
    """Every row is data itself and its mixtures are not, so no weighted sum fits both."""
    names = ("local_additive_fidelity",)
    hidden, shown = (
        measure(standardised(problem, f), problem.valid.raw, task="regression", seed=0, measures=names)[names[0]]
        for f in (scaffold, good_logit)
    )
    assert hidden.value < shown.value


def test_additivity_by_accumulated_effects_is_not_fooled_by_a_scaffold(problem: Problem) -> None:
    """Accumulated effects move one feature a little, from real rows: there the scaffold shows what it hides."""
    X = problem.valid.raw
    innocent = standardised(problem, lambda Z: 3.0 * Z[:, 4])
    hidden, shown = standardised(problem, scaffold), standardised(problem, good_logit)
    names = ("additivity",)
    found = [measure(f, X, task="regression", seed=0, measures=names)["additivity"] for f in (innocent, hidden, shown)]
    assert found[0].value == pytest.approx(1.0, abs=1e-6)
    assert found[1].value is not None
    assert found[2].value is not None
    assert found[1].value < 0.75
    assert found[2].value < 0.75
