"""The measures of images and sequences: oracles, what applies and why not, words, and independence of the pack."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from signal_examples import Formula, Modules, PlaceNetwork, context_of, family_context, known_facts, problem_of

from nas_core.data.measured import OF_SIGNALS
from nas_core.errors import SettingsError
from nas_core.interpretability import MEASURES, MeasureContext, MeasuredCandidate, local_fidelity, measure_pack
from nas_core.interpretability.budget import affordable
from nas_core.interpretability.cells import absent_rows, column_owner
from nas_core.interpretability.introspectability import _distances, class_distance
from nas_core.records import Measurement

KINDS = ("image", "series", "padded", "words")


def linear(x: torch.Tensor) -> torch.Tensor:
    """Three logits, each a weighted sum of all columns."""
    weights = torch.linspace(-1, 2, x.shape[1] * 3).reshape(x.shape[1], 3)
    return x @ weights


def product(x: torch.Tensor) -> torch.Tensor:
    """Three logits of products of the first two cells."""
    return torch.stack([x[:, 0] * x[:, 1], -x[:, 0] * x[:, 1], 0 * x[:, 0]], 1)


@pytest.fixture(scope="module")
def measured() -> MeasureContext:
    problem = problem_of()
    modules = [Formula(linear), Formula(product), PlaceNetwork((1, 6, 6), 3, mean=False), PlaceNetwork((1, 6, 6), 3)]
    known = [known_facts(problem, pairs=0), *[known_facts(problem)] * 3]
    return context_of(problem, modules, known)


@pytest.mark.parametrize("name", OF_SIGNALS)
class TestContract:
    """Every measure that is taken of signals by default passes these."""

    def test_scores_lie_between_zero_and_one_inside_their_interval(self, name: str, measured: MeasureContext) -> None:
        assert MEASURES[name].applies_to(measured).ok
        for found in MEASURES[name].score(measured):
            assert found.value is not None
            assert found.raw is not None
            assert 0 <= found.low <= found.value <= found.high <= 1

    def test_a_candidate_has_the_same_score_alone_as_in_a_pack(self, name: str, measured: MeasureContext) -> None:
        together = MEASURES[name].score(measured)
        for k in range(4):
            alone = context_of(measured.problem, [measured.model.module(k)], [measured.facts[k]])
            assert MEASURES[name].score(alone) == [together[k]]

    def test_it_says_what_it_is_and_what_would_raise_it(self, name: str, measured: MeasureContext) -> None:
        measure = MEASURES[name]
        assert "Source:" in measure.description
        assert "Costs:" in measure.description
        names = measured.problem.feature_names
        for architecture, known, found in zip(measured.architectures, measured.facts, measure.score(measured)):
            advice = measure.advise(MeasuredCandidate(architecture, known, found, names, measured.signal))
            assert advice.state.endswith(".")
            assert advice.change == "" or advice.change.endswith(".")
            assert "feature" not in advice.state.lower()
            if found.value is not None and found.value < 0.99:
                assert advice.change
            if found.value == 1:
                assert not advice.change

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_measures_every_kind_of_signal(self, name: str, kind: str) -> None:
        context = family_context(problem_of(kind))
        for k, found in enumerate(MEASURES[name].score(context)):
            if found.value is None:
                assert found.reason == "it has no layer between the input and the output"
                assert not context.model.module(k).layers
            else:
                assert 0 <= found.value <= 1


def test_a_linear_network_is_additive_and_locally_so(measured: MeasureContext) -> None:
    problem = measured.problem
    context = context_of(problem, [Formula(linear)])  # facts that do not say so: it is measured
    assert MEASURES["additivity"].score(context)[0].raw <= 1e-5
    assert MEASURES["local_additive_fidelity"].score(context)[0].value == pytest.approx(1, abs=1e-6)
    assert MEASURES["additivity"].score(measured)[0].value == 1


def test_masked_rows_that_are_too_many_to_keep_give_the_same(
    measured: MeasureContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = MEASURES["local_additive_fidelity"].score(measured)
    monkeypatch.setattr(local_fidelity, "KEPT", 0)
    monkeypatch.setattr(local_fidelity, "once", None)
    assert MEASURES["local_additive_fidelity"].score(measured) == kept


def test_a_product_of_cells_is_neither(measured: MeasureContext) -> None:
    (_, found, *_) = MEASURES["additivity"].score(measured)
    assert found.low < 0.2
    strengths = [found.raw]  # 1 but for the noise of some 80 rows, whose standard deviation is about .33
    for seed in range(1, 16):
        problem = problem_of(seed=seed)
        strengths.append(MEASURES["additivity"].score(context_of(problem, [Formula(product)]))[0].raw)
    assert np.mean(strengths) == pytest.approx(1, abs=3 * 0.33 / 4)
    assert np.std(strengths) < 2 * 0.33

    def many(x: torch.Tensor) -> torch.Tensor:
        return torch.stack([x[:, :4].prod(1) * 20, x[:, 4:8].prod(1) * 20, -20 * x[:, 8:12].prod(1)], 1)

    (low,) = MEASURES["local_additive_fidelity"].score(context_of(measured.problem, [Formula(many)]))
    assert low.value < 0.5


def test_what_does_not_apply_to_patches_says_why(measured: MeasureContext) -> None:
    found = measure_pack(measured, ["main_effect_simplicity", "monotone_share", "feature_parsimony"])[0]
    assert found["main_effect_simplicity"].reason == "patches have no order, so there are no effect curves"
    assert "patches have no order in which" in found["monotone_share"].reason
    assert found["feature_parsimony"].value == 0
    words = family_context(problem_of("words"), 1)
    assert "words have no order" in MEASURES["monotone_share"].applies_to(words).reason
    regression = context_of(problem_of(classes=0), [PlaceNetwork((1, 6, 6), 1)])
    assert "a regression has none" in MEASURES["introspectability"].applies_to(regression).reason
    assert measure_pack(regression, OF_SIGNALS)[0]["additivity"].value is not None


def test_without_trained_networks_only_the_structure_is_measured() -> None:
    context = family_context(problem_of(), 1)
    bare = MeasureContext(context.space, context.architectures, context.facts)
    found = measure_pack(bare, OF_SIGNALS)[0]
    assert {n for n, m in found.items() if m.value is not None} == {"interaction_sparsity", "operation_economy"}
    assert found["introspectability"].reason == "it needs a trained network and held-out rows"

    class Opaque:
        def predict(self, E: np.ndarray) -> np.ndarray:
            return np.zeros((1, len(E), 3))

        def feature_deltas(self, *given: object) -> np.ndarray:
            raise AssertionError

    with pytest.raises(SettingsError, match=r"one by one.*module\(k\)"):
        MEASURES["additivity"].score(
            MeasureContext(context.space, context.architectures, [known_facts(problem_of())], problem_of(), Opaque())
        )


def test_a_candidate_that_is_not_finite_has_no_value(measured: MeasureContext) -> None:
    broken = context_of(measured.problem, [Formula(lambda x: linear(x) * torch.nan), Formula(linear)])
    for name in ("additivity", "local_additive_fidelity"):
        first, second = MEASURES[name].score(broken)
        assert first == Measurement(reason="its outputs are not finite numbers")
        assert second.value == pytest.approx(1, abs=1e-5)


def test_a_network_that_does_nothing_is_given_no_noise_to_be_scored_on(measured: MeasureContext) -> None:
    context = context_of(measured.problem, [Formula(lambda x: 0 * linear(x) + 0.7)])
    assert MEASURES["additivity"].score(context)[0].raw == 0


def test_costly_networks_are_looked_at_less_often() -> None:
    problem = problem_of()
    training = 0.15 * problem.spec.recipe.max_epochs * len(problem.train)
    assert affordable(problem, 10, 0.15) == 12_000
    assert affordable(problem, 10**9, 0.15) == 40
    assert affordable(problem, 10**7, 0.15) == int(training)
    for operations in (1, 10**5, 10**7, 10**9):
        assert affordable(problem, operations, 0.15) <= max(training, 5e8 / operations)


class Counting(PlaceNetwork):
    """Counts the rows that it and its copies are asked for."""

    asked = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        Counting.asked += len(x)
        return super().forward(x)


@pytest.mark.parametrize("operations", [100, 10**7])
def test_all_measures_together_cost_a_quarter_of_the_training_or_little(operations: int) -> None:
    problem = problem_of(rows=1000)
    network = Counting((1, 6, 6), 3, mean=False)
    Counting.asked = 0
    measure_pack(context_of(problem, [network], [known_facts(problem, operations=operations)]), OF_SIGNALS)
    training = problem.spec.recipe.max_epochs * len(problem.train)
    assert network.asked <= (0.3 * training if operations > 1000 else 3 * 12_000)
    assert network.asked >= 1000


class TestIntrospectability:
    """Class means per layer against formulas on paper."""

    def test_means_at_right_angles_are_far_and_equal_ones_near(self) -> None:
        assert class_distance(np.eye(3)) == 1
        assert class_distance(np.ones((3, 4))) == pytest.approx(0, abs=1e-12)
        assert class_distance(np.array([[1.0, 0], [1, 1]])) == pytest.approx(1 - np.sqrt(0.5))
        assert class_distance(np.array([[1.0, 0], [-1, 0]])) == 2

    @given(st.integers(2, 5), st.floats(0.1, 100), st.integers(0, 99))
    def test_the_length_of_activations_does_not_matter(self, classes: int, factor: float, seed: int) -> None:
        means = np.random.default_rng(seed).normal(size=(classes, 7))
        assert class_distance(means * factor) == pytest.approx(class_distance(means))

    def test_silent_layers_tell_nothing_and_are_no_nan(self) -> None:
        assert class_distance(np.zeros((3, 4))) == 0
        assert class_distance(np.array([[0.0, 0], [1, 1]])) == 1
        assert class_distance(np.ones((1, 4))) == 0
        assert class_distance(np.ones((0, 4))) == 0

    def test_rows_of_one_class_have_zero_not_nan(self) -> None:
        problem = problem_of(classes=2)
        problem.valid.y.setflags(write=True)
        problem.valid.y[:] = 0
        (found,) = MEASURES["introspectability"].score(context_of(problem, [PlaceNetwork((1, 6, 6), 1)]))
        assert found == Measurement(value=0, raw=0, low=0, high=0)

    def test_it_is_the_mean_over_layers_of_the_distance_of_class_means(self) -> None:
        problem = problem_of()
        network = PlaceNetwork((1, 6, 6), 3)
        (found,) = MEASURES["introspectability"].score(context_of(problem, [network]))
        with torch.no_grad():
            active = network.features(torch.from_numpy(problem.valid.E).reshape(-1, 1, 6, 6)).flatten(1).numpy()
        means = np.stack([active[problem.valid.y == c].mean(0) for c in range(3)])
        assert found.raw == pytest.approx(class_distance(means), abs=1e-5)
        assert found.low < found.value < found.high

    def test_a_layer_that_keeps_classes_apart_has_more(self) -> None:
        problem = problem_of(rows=600)
        labels = {row.tobytes(): int(y) for row, y in zip(problem.valid.E, problem.valid.y)}

        class Knows(Formula):
            def features(self, x: torch.Tensor) -> torch.Tensor:
                found = [labels[row.tobytes()] for row in x.flatten(1).numpy()]
                return self.seen(torch.eye(3)[found])

        apart, mixed = (
            MEASURES["introspectability"].score(context_of(problem, [m]))[0]
            for m in (Knows(lambda m: m), PlaceNetwork((1, 6, 6), 3))
        )
        assert apart.value == pytest.approx(1)
        assert mixed.value < 0.5


@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 5))
def test_distances_without_each_part_are_those_of_the_rows_that_are_left(seed: int, classes: int, parts: int) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, (classes, parts))
    sums = [rng.normal(size=(classes, parts, units)) * (counts[..., None] > 0) for units in (3, 1)]

    def slow(kept: list[int]) -> float:
        total = np.maximum(1, counts[:, kept].sum(1))[:, None]
        return float(np.mean([class_distance(s[:, kept].sum(1) / total) for s in sums]))

    every = list(range(parts))
    expected = [slow(every), *(slow([p for p in every if p != left]) for left in every)]
    assert _distances(sums, counts) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_absent_keeps_the_length_of_a_row(kind: str) -> None:
    problem = problem_of(kind)
    E, signal = problem.valid.E, problem.dataset.signal
    absent = absent_rows(problem, E)
    assert absent.shape == E.shape
    assert column_owner(problem).shape == (E.shape[1],)
    assert set(column_owner(problem)) == set(range(problem.P))
    if kind == "padded":
        assert np.array_equal(absent[:, -12:], E[:, -12:])
        assert (absent[:, :12][E[:, -12:] == 0] == 0).all()
    elif kind == "words":
        assert (absent == 0).all()
    else:
        assert absent[0] == pytest.approx(problem.train.E.mean(0), abs=1e-6)
    assert signal is not None


def test_tables_have_local_fidelity_too() -> None:
    from measured_packs import architecture_of, toy_problem
    from measured_packs import context_of as table_context

    from nas_core.spaces import SearchSpace

    problem = toy_problem()
    space = SearchSpace.for_problem(problem, "accurate")
    pack = [
        architecture_of(space, (0,), (1,), (5,)),
        architecture_of(space, (0, 1, 2, 3, 4, 5), width=32),
        architecture_of(space, (0, 1), (2,), (5,)),
    ]
    context = table_context(problem, pack)
    found = MEASURES["local_additive_fidelity"].score(context)
    assert found[0] == Measurement(value=1, raw=1, low=1, high=1)
    assert 0 < found[1].value < 1
    assert not MEASURES["introspectability"].applies_to(context).ok
    words = MEASURES["local_additive_fidelity"].advise(
        MeasuredCandidate(pack[1], context.facts[1], found[1], problem.feature_names)
    )
    assert "contributions of features" in words.state
    assert "Split groups" in words.change


def test_modules_are_a_network_pack_and_nothing_else() -> None:
    from nas_core.interpretability import NetworkPack, PackModel

    assert isinstance(Modules([]), NetworkPack)
    assert not isinstance(Modules([]), PackModel)
