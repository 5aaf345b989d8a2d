"""Attribution sparsity, agreement of explainers, stability: known networks, what is not counted, and reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from measured_packs import ModulePack, architecture_of, context_of, toy_problem
from scipy.stats import spearmanr
from signal_examples import Formula, PlaceNetwork, family_context, known_facts, problem_of
from signal_examples import context_of as signal_context_of

from nas_core.data import Dataset, DataSource, FeatureSpec, Problem
from nas_core.errors import SettingsError
from nas_core.interpretability import MEASURES, MeasureContext, MeasuredCandidate, measure_pack
from nas_core.interpretability.explained_rows import ExplainedRows, small_changes
from nas_core.interpretability.gradients import by_owner, integrated_gradients
from nas_core.interpretability.held_out import measured_rows
from nas_core.records import Architecture, Measurement
from nas_core.spaces import SearchSpace, facts

NAMES = ("attribution_sparsity", "explainer_agreement", "explanation_stability")
PROBLEM = toy_problem()
SPACE = SearchSpace.for_problem(PROBLEM, "accurate")
LINE = architecture_of(SPACE, (0,), (1,), (2,), linear=True, depth=0)
WHOLE = architecture_of(SPACE, (0, 1, 2, 3, 4, 5), width=32, activation="relu")
CURVED = architecture_of(SPACE, (0, 1), (2, 5), activation="tanh", encoding="quantile")
ONE = architecture_of(SPACE, (2,))
COLOUR = architecture_of(SPACE, (5,))
PACK = [LINE, WHOLE, CURVED, ONE, COLOUR]


class WeightedModules(ModulePack):
    """Modules on the whole bank that show their weights, changed by ``change``."""

    def __init__(
        self, problem: Problem, architectures: list[Architecture], change: Callable[[torch.Tensor], Any] | None = None
    ) -> None:
        super().__init__(problem, architectures)
        if change is not None:
            with torch.no_grad():
                for parameter in (p for module in self.modules for p in module.parameters()):
                    parameter.copy_(change(parameter))

    def weights(self, k: int) -> dict[str, np.ndarray]:
        return {name: value.numpy().copy() for name, value in self.modules[k].state_dict().items()}


def weighted(
    problem: Problem, architectures: list[Architecture], change: Callable[[torch.Tensor], Any] | None = None
) -> MeasureContext:
    return context_of(problem, architectures, WeightedModules(problem, architectures, change))


def only(problem: Problem, architecture: Architecture, name: str, change: Any = None) -> Measurement:
    (found,) = measure_pack(weighted(problem, [architecture], change), [name])
    return found[name]


@pytest.fixture(scope="module")
def tables() -> MeasureContext:
    return weighted(PROBLEM, PACK)


@pytest.fixture(scope="module")
def images() -> MeasureContext:
    return family_context(problem_of(), 3)


@pytest.mark.parametrize("name", NAMES)
class TestContract:
    """What every one of the three must do."""

    def test_scores_lie_between_zero_and_one_inside_their_interval(self, name: str, tables: MeasureContext) -> None:
        assert MEASURES[name].applies_to(tables).ok
        for found in MEASURES[name].score(tables):
            if found.value is None:
                assert name == "explanation_stability"  # of a candidate that reads categories only
                assert "categories only" in found.reason
            else:
                assert 0 <= found.low <= found.value <= found.high <= 1
                assert found.raw is not None

    def test_a_candidate_has_the_same_score_alone_as_in_a_pack(self, name: str, tables: MeasureContext) -> None:
        together = MEASURES[name].score(tables)
        for k, architecture in enumerate(PACK):
            model = WeightedModules(PROBLEM, PACK)
            model.modules = [model.modules[k]]
            (alone,) = MEASURES[name].score(context_of(PROBLEM, [architecture], model))
            assert alone == together[k]

    def test_it_says_what_it_is_and_what_would_raise_it(
        self, name: str, tables: MeasureContext, images: MeasureContext
    ) -> None:
        measure = MEASURES[name]
        assert measure.family == "explanation"
        assert "Source:" in measure.description
        assert "Costs:" in measure.description
        for context in (tables, images):
            known = zip(context.architectures, context.facts, measure.score(context))
            for architecture, own, found in known:
                names = context.known_problem.feature_names
                advice = measure.advise(MeasuredCandidate(architecture, own, found, names, context.signal))
                assert advice.state.endswith(".")
                assert bool(advice.change) == (found.value is not None and found.value < 1)
                assert context.signal is None or "feature" not in advice.state

    @pytest.mark.parametrize(
        ("kind", "family"), [("image", None), ("image", "cell"), ("series", None), ("padded", None)]
    )
    def test_it_measures_signals_of_numbers(self, name: str, kind: str, family: str | None) -> None:
        context = family_context(problem_of(kind), 3, family)
        assert MEASURES[name].applies_to(context).ok
        for found in MEASURES[name].score(context):
            assert found.value is not None
            assert 0 <= found.low <= found.value <= found.high <= 1

    def test_words_have_no_gradient(self, name: str) -> None:
        context = family_context(problem_of("words"), 1)
        (found,) = measure_pack(context, [name])
        assert found[name].value is None
        assert "words" in str(found[name].reason)

    def test_without_networks_there_is_a_reason(self, name: str) -> None:
        known = [facts(SPACE, a) for a in PACK]
        structure = MeasureContext(SPACE, PACK, known)
        assert measure_pack(structure, [name])[0][name].reason == "it needs a trained network and held-out rows"
        predictions = context_of(PROBLEM, PACK)  # a pack that only predicts
        assert measure_pack(predictions, [name])[0][name].reason == (
            "it needs gradients, and of these models there are predictions only"
        )
        with pytest.raises(SettingsError, match="cannot be looked into"):
            MEASURES[name].score(predictions)

    def test_a_network_that_is_not_finite_has_a_reason(self, name: str) -> None:
        found = only(PROBLEM, WHOLE, name, lambda p: p * np.nan)
        assert found.reason == "its attributions are not finite numbers"

    def test_a_constant_network_has_a_reason(self, name: str) -> None:
        found = only(PROBLEM, WHOLE, name, torch.zeros_like)
        assert found.reason == "no feature has any influence on the explained rows"

    def test_a_single_row_has_no_interval(self, name: str) -> None:
        few = Problem.create(toy_problem(rows=60).dataset, max_valid_rows=1)
        assert len(few.valid) == 1
        found = only(few, architecture_of(SearchSpace.for_problem(few, "accurate"), (0, 1, 2)), name)
        assert found.value is not None or found.reason
        assert (found.low, found.high) == (None, None)


def test_a_single_feature_has_nothing_to_spread_over() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 1))
    source = DataSource(kind="memory", location="one")
    y = (x[:, 0] > 0).astype(np.int64)
    data = Dataset("one", (FeatureSpec("x", "numeric"),), x, y, "classification", ("a", "b"), "k", source)
    problem = Problem.create(data)
    architecture = architecture_of(SearchSpace.for_problem(problem, "accurate"), (0,))
    assert "single feature" in str(only(problem, architecture, "attribution_sparsity").reason)
    assert only(problem, architecture, "explainer_agreement").value == 1
    assert only(problem, architecture, "explanation_stability").value == 1


def test_one_used_feature_is_as_sparse_stable_and_undisputed_as_can_be(tables: MeasureContext) -> None:
    for name in NAMES:
        found = MEASURES[name].score(tables)[3]
        assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    said = MEASURES["explainer_agreement"].advise(
        MeasuredCandidate(ONE, tables.facts[3], Measurement(value=1, raw=1, low=1, high=1), PROBLEM.feature_names)
    )
    assert said.state == "It reads one feature, so there is no order to disagree on."


def test_a_candidate_that_reads_nothing_has_nothing_to_explain() -> None:
    problem = problem_of()
    known = known_facts(problem)
    nothing = type(known)((), *[getattr(known, f) for f in list(known.__dataclass_fields__)[1:]])
    context = signal_context_of(problem, [Formula(lambda x: 0 * x[:, :3])], [nothing])
    for row in measure_pack(context, NAMES):
        assert {m.reason for m in row.values()} == {"it reads no feature, so there is nothing to explain"}


def test_explainers_agree_on_what_is_linear(tables: MeasureContext) -> None:
    found = MEASURES["explainer_agreement"].score(tables)
    assert found[0].value == 1
    assert found[1].value < 1
    assert found[1].value == pytest.approx(2 * found[1].raw - 1)


def test_sparsity_is_the_index_of_all_features(tables: MeasureContext) -> None:
    """The slow twin: one row at a time, on the whole bank, by the definition."""
    (found,) = measure_pack(weighted(PROBLEM, [CURVED]), ["attribution_sparsity"])
    rows = ExplainedRows(weighted(PROBLEM, [CURVED]), 0, 64)
    module = WeightedModules(PROBLEM, [CURVED]).modules[0]
    base = PROBLEM.train.E[measured_rows(PROBLEM, 32, "train")].mean(0, dtype=float)
    indices = []
    for i in rows.at:
        values = integrated_gradients(module, PROBLEM.valid.E[i : i + 1], base[None], 0, 16)
        size = np.abs(by_owner(values, PROBLEM.encoder.owner, 6))[0]
        differences = sum(abs(a - b) for a in size for b in size)
        indices.append(differences / (2 * 6 * size.sum()) * 6 / 5)
    assert found["attribution_sparsity"].value == pytest.approx(np.mean(indices), abs=1e-4)


def test_images_know_their_oracles() -> None:
    """One pixel has the index 1; the same share of every pixel 0; a linear network keeps its order exactly."""
    problem = problem_of(classes=0)
    first = Formula(lambda x: x[:, :1])
    share = Formula(lambda x: 3 + x.sum(1, keepdim=True))
    context = signal_context_of(problem, [first, share])
    found = MEASURES["attribution_sparsity"].score(context)
    assert found[0].value == pytest.approx(1)
    rows = ExplainedRows(context, 1, 10)
    own = np.abs(rows.E - rows._base).sum(1)
    assert np.abs(rows.integrated).sum(1) == pytest.approx(own, rel=1e-5)
    assert MEASURES["explainer_agreement"].score(context)[1].value == 1


def test_the_predicted_class_is_explained() -> None:
    problem = problem_of()
    context = signal_context_of(problem, [Formula(lambda x: torch.stack([x[:, 0], x[:, 1], x[:, 2]], 1) * 5)])
    rows = ExplainedRows(context, 0, 30)
    assert (rows.outputs == rows.E[:, :3].argmax(1)).all()
    assert (np.abs(rows.integrated).argmax(1) == rows.outputs).all()
    assert set(rows.outputs) == {0, 1, 2}


def test_small_changes_leave_categories_padding_and_what_is_missing() -> None:
    context = weighted(PROBLEM, [WHOLE])
    rows = ExplainedRows(context, 0, 30)
    changed = small_changes(context, rows, 0, 5).reshape(30, 5, -1)
    owner = context.owner[context.table_network(0)[1]]
    moved = np.abs(changed - rows.E[:, None]).max((0, 1))
    assert (moved[owner == 5] == 0).all()
    assert all(moved[owner == j].max() > 0 for j in range(5))
    missing = np.isnan(PROBLEM.valid.raw[rows.at, 3])
    assert missing.any()
    still = (changed == rows.E[:, None])[:, :, owner == 3].all((1, 2))
    assert (still == missing).all()
    fewer = small_changes(context, ExplainedRows(context, 0, 7), 0, 5)
    assert (fewer == changed[:7].reshape(35, -1)).all()  # a row has its own
    numbers = np.isin(owner, range(3))
    assert (changed - rows.E[:, None])[:, :, numbers].std() == pytest.approx(0.05, rel=0.15)

    problem = problem_of("padded")
    padded = family_context(problem, 1)
    series = ExplainedRows(padded, 0, 20)
    present = series.E[:, -12:] > 0
    moved = (small_changes(padded, series, 0, 3).reshape(20, 3, -1) != series.E[:, None]).any(1)
    assert (moved[:, :24] == np.tile(present, 2)).all()
    assert not moved[:, 24:].any()


def test_stability_is_the_mean_correlation_over_draws_that_keep_the_class() -> None:
    """The slow twin: one row and one draw at a time, by the definition; the class changes in some of them."""
    problem = problem_of(classes=2)

    def steep(x: torch.Tensor) -> torch.Tensor:
        return 3 * torch.sin(4 * x[:, :1]) + x[:, 1:2] * x[:, 2:3] + x[:, 3:4].exp() - 1

    context = signal_context_of(problem, [Formula(steep)])
    found = MEASURES["explanation_stability"].score(context)[0]
    rows = ExplainedRows(context, 0, 32)
    changed = small_changes(context, rows, 0, 5).reshape(32, 5, -1)
    kept, every = [], []
    for i in range(32):
        own = rows.classes(rows.E[i : i + 1])[0]
        correlations = []
        for d in range(5):
            shifted = np.array(rows.E)
            shifted[i] = changed[i, d]
            after = rows.integrated_at(shifted)[i]
            value = spearmanr(np.abs(rows.integrated[i]).round(7), np.abs(after).round(7)).statistic
            every.append(value)
            if rows.classes(changed[i, d][None])[0] == own:
                correlations.append(value)
        if correlations:
            kept.append(np.mean(correlations))
    assert found.raw == pytest.approx(np.mean(kept), abs=2e-3)
    assert len(kept) < 32 or abs(np.mean(every) - np.mean(kept)) > 1e-6


def test_stability_falls_where_gradients_jump() -> None:
    problem = problem_of(classes=0)
    smooth = Formula(lambda x: (x * torch.linspace(-1, 2, 36)).sum(1, keepdim=True))
    jumpy = Formula(lambda x: torch.sin(40 * x).sum(1, keepdim=True))
    found = MEASURES["explanation_stability"].score(signal_context_of(problem, [smooth, jumpy]))
    assert found[0].value > 0.95
    assert found[1].value < 0.5


def test_only_categories_cannot_change_a_little() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (150, 2)).astype(float)
    features = tuple(FeatureSpec(n, "categorical", ("r", "g", "b")) for n in "uv")
    source = DataSource(kind="memory", location="cats")
    y = ((X[:, 0] == 1) ^ (X[:, 1] == 2)).astype(np.int64)
    problem = Problem.create(Dataset("cats", features, X, y, "classification", ("a", "b"), "k", source))
    architecture = architecture_of(SearchSpace.for_problem(problem, "accurate"), (0, 1))
    found = only(problem, architecture, "explanation_stability")
    assert found.reason == "all features are categories, which cannot change a little"
    assert only(problem, architecture, "attribution_sparsity").value is not None
    assert only(problem, architecture, "explainer_agreement").value is not None


def test_the_gradients_of_two_measures_are_computed_once() -> None:
    context = weighted(PROBLEM, [WHOLE])
    MEASURES["attribution_sparsity"].score(context)
    known = dict(context.kept)
    assert [values.shape for values in known.values()] == [(len(PROBLEM.valid), 6)]
    MEASURES["explainer_agreement"].score(context)
    MEASURES["explanation_stability"].score(context)
    assert {name: id(values) for name, values in context.kept.items()} == {n: id(v) for n, v in known.items()}


def test_several_classes_are_measured_by_their_winner() -> None:
    problem = toy_problem(classes=4)
    space = SearchSpace.for_problem(problem, "accurate")
    context = weighted(problem, [architecture_of(space, (0, 1, 5), (2,)), architecture_of(space, (3, 4))])
    for row in measure_pack(context, NAMES):
        assert all(m.value is not None for m in row.values())


def test_a_mean_pooling_network_is_stable() -> None:
    problem = problem_of()
    context = signal_context_of(problem, [PlaceNetwork((1, 6, 6), 3)])
    (found,) = measure_pack(context, NAMES)
    assert found["explanation_stability"].value > 0.9
