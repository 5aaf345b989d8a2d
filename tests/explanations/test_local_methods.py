"""LIME's fit against slow twins, occlusion and coalitions, what methods need of a network, and the fall-back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from signal_examples import Formula, problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import candidate, of_family

from nas_core.errors import ExplanationError, SettingsError
from nas_core.explanations import EXPLAINERS, SignalCandidate, choose_explainer, explain, next_explainer
from nas_core.explanations.coalitions import Coalitions
from nas_core.explanations.lime import WIDTH, local_fit
from nas_core.explanations.rounds import Rounds
from nas_core.explanations.torch_view import TorchView

# ---- the local fit of LIME


def masks(a: int, m: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((m, a)) < 0.6


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_a_weighted_sum_of_features_is_found_exactly(a: int, seed: int) -> None:
    present, weights = masks(a, 60, seed), np.random.default_rng(seed).normal(size=(a, 3))
    found = local_fit(present, 5 + present @ weights)
    assert found.weights == pytest.approx(weights, abs=1e-5)
    assert found.r2 == pytest.approx(np.ones(3), abs=1e-6)
    assert found.errors.max() < 1e-5


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_the_fit_and_its_held_out_r2_are_those_of_a_slow_twin(a: int, seed: int) -> None:
    from sklearn.linear_model import LinearRegression

    present = masks(a, 50, seed)
    worths = np.random.default_rng(seed).normal(size=50) + 2 * present[:, 0]
    kernel = np.array([np.exp(-np.sum(~row) / (WIDTH * np.sqrt(a)) ** 2) for row in present])
    unexplained = np.zeros(50)
    for fold in range(5):
        out = np.arange(50) % 5 == fold
        model = LinearRegression().fit(present[~out], worths[~out], sample_weight=kernel[~out])
        unexplained[out] = worths[out] - model.predict(present[out])
    mean = np.average(worths, weights=kernel)
    r2 = 1 - np.sum(kernel * unexplained**2) / np.sum(kernel * (worths - mean) ** 2)
    found = local_fit(present, worths[:, None])
    assert found.r2[0] == pytest.approx(r2, abs=1e-5)
    whole = LinearRegression().fit(present, worths, sample_weight=kernel)
    assert found.weights[:, 0] == pytest.approx(whole.coef_, abs=1e-5)


def test_noise_is_not_explained_however_many_features_there_are() -> None:
    """In-sample, thirty weights would explain half of sixty numbers drawn at random."""
    noise = np.random.default_rng(0).normal(size=(60, 40))
    assert np.median(local_fit(masks(30, 60, 1), noise).r2) < 0


def test_a_function_that_does_not_vary_is_explained() -> None:
    found = local_fit(masks(4, 30, 0), np.full((30, 2), 7.0))
    assert (found.r2 == 1).all()
    assert np.abs(found.weights).max() < 1e-6


def test_one_feature_alone_is_fitted() -> None:
    found = local_fit(np.array([[True], [False]]), np.array([[3.0], [1.0]]), whole=True)
    assert found.weights[0] == pytest.approx([2.0], abs=1e-6)
    assert found.r2 == 1


def test_lime_says_that_it_does_not_fit_where_features_act_together_only() -> None:
    X = np.random.default_rng(0).normal(size=(120, 3))
    problem = table(X, X[:, 0])
    rows, base = np.array([[1.0, 1.0, 0.0]]), np.array([[0.0, 0.0, 0.0]])
    product = known(problem, g=((0, 1), lambda a, b: a * b))
    added = known(problem, g=((0, 1), lambda a, b: a + b))
    assert explain(product, rows, base, method="lime").fit[0, 0] < 0.5
    assert explain(added, rows, base, method="lime").fit[0, 0] == pytest.approx(1)


# ---- sets of features


@pytest.mark.parametrize("kind", ["table", "image", "words"])
def test_the_worth_of_a_set_is_the_mean_output_of_mixtures(kind: str) -> None:
    if kind == "table":
        found = candidate_of(made_problem("classes"), (0, 1, 3), (5,))
        owner = np.arange(6)
    else:
        found = of_family(problem_of(kind))
        owner = found.signal.owner
    rows, background = found.problem.valid.raw[:2], found.problem.train.raw[:5]
    sets = Coalitions(found, rows, background)
    present = masks(len(sets.players), 6, 2)
    for n in (0, 1):
        for inside, worth in zip(present, sets.worths(n, present)):
            mixed = np.where(np.isin(owner, sets.players[inside]), rows[n], background)
            assert worth == pytest.approx(found.predict(mixed).mean(0), abs=1e-6)


def test_features_that_are_the_same_everywhere_are_no_players() -> None:
    found = candidate_of(made_problem("binary"), (0, 1, 4))
    rows, background = found.problem.valid.raw[:3].copy(), found.problem.train.raw[:5].copy()
    rows[:, 1] = background[:, 1] = 0.5
    assert Coalitions(found, rows, background).players.tolist() == [0, 4]


# ---- rounds


@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(-1e6, 1e6))
def test_rounds_are_averaged_and_their_error_is_that_of_a_mean(count: int, seed: int, offset: float) -> None:
    drawn = offset + np.random.default_rng(seed).normal(size=(count, 3))
    rounds = Rounds((3,))
    assert np.isinf(rounds.errors).all()
    for one in drawn:
        rounds.add(one)
    assert rounds.values == pytest.approx(drawn.mean(0))
    assert rounds.errors == pytest.approx(drawn.std(0, ddof=1) / np.sqrt(count), rel=1e-6, abs=1e-9)


# ---- networks as torch sees them


@pytest.mark.parametrize("values", [
    {}, {"normalisation": "batch", "marks": {"0": 1}}, {"normalisation": "layer", "connections": "dense"},
    {"dropout": 0.3, "connections": "residual"},
])  # fmt: skip
@pytest.mark.parametrize("kind", ["binary", "classes", "regression"])
def test_the_view_of_a_table_is_the_candidate(kind: str, values: dict) -> None:
    found = candidate_of(made_problem(kind), (0, 1), (3, 5), **values)
    rows = found.problem.valid.raw[:9]
    view = TorchView(found)
    assert view(view.tensor(view.encode(rows))).numpy() == pytest.approx(found.predict(rows), abs=1e-9)
    assert len(view.owner) == view.D == view.encode(rows).shape[1]
    kinds = {type(m).__module__ for m in view.network.modules() if not any(True for _ in m.children())}
    assert all(name.startswith("torch.nn") for name in kinds)


@pytest.mark.parametrize("kind", ["image", "series", "padded"])
@pytest.mark.parametrize("classes", [3, 0])
def test_the_view_of_a_signal_is_the_candidate(kind: str, classes: int) -> None:
    found = of_family(problem_of(kind, classes=classes), 1)
    rows = found.problem.valid.raw[:5]
    view = TorchView(found)
    assert view(view.tensor(view.encode(rows))).detach().numpy() == pytest.approx(found.predict(rows), abs=1e-5)


def test_values_of_columns_are_summed_by_feature() -> None:
    view = TorchView(candidate_of(made_problem("classes"), (0, 5)))
    summed = view.by_feature(np.ones((2, view.D, 3)))
    widths = np.bincount(view.owner, minlength=6)
    assert widths[5] == 3  # one column per colour: a category is one feature
    assert (summed == widths[None, :, None]).all()


# ---- signals by methods for both


@pytest.mark.parametrize("method", ["integrated_gradients", "deep_lift", "input_x_gradient", "occlusion"])
@pytest.mark.parametrize("kind", ["image", "series"])
def test_a_linear_network_on_signals(kind: str, method: str) -> None:
    problem = problem_of(kind)
    D = problem.signal_encoder.D
    weights = torch.linspace(-1, 2, D * 3).reshape(D, 3).double()
    network = candidate(problem, Formula(lambda x: x @ weights))
    rows, background = problem.valid.raw[:4], problem.train.raw[:6]
    E = problem.encode(np.concatenate([rows, background])).astype(float)
    share = (E[:4] - E[4:].mean(0))[:, :, None] * weights.numpy()
    expected = TorchView(network).by_feature(share)
    assert explain(network, rows, background, method=method).values == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_relevance_is_kept_in_networks_on_images_without_biases(seed: int) -> None:
    network = of_family(problem_of("image"), seed)
    if not EXPLAINERS["lrp"].applies_to(network).ok:
        assert "there is no rule that conserves relevance" in EXPLAINERS["lrp"].applies_to(network).reason
        return
    with torch.no_grad():
        for name, value in [*network.module.named_parameters(), *network.module.named_buffers()]:
            if name.endswith(("bias", "running_mean")):
                value.zero_()
    found = explain(network, network.problem.valid.raw[:5], method="lrp")
    assert found.values.sum(1) == pytest.approx(found.outputs, abs=1e-5)


# ---- what methods need, and the fall-back


def test_each_condition_is_told_in_words() -> None:
    words, padded = of_family(problem_of("words")), of_family(problem_of("padded"))
    layered = candidate_of(made_problem("binary"), (0, 1), normalisation="layer", activation="silu")
    foreign = candidate(problem_of("image"), Formula(lambda x: torch.tanh(x[:, :3])))

    def reason(method: str, of: object) -> str:
        verdict = EXPLAINERS[method].applies_to(of)
        assert not verdict.ok
        return verdict.reason

    for method in ("integrated_gradients", "deep_lift", "lrp", "saliency", "shap_deep", "shap_gradient"):
        assert reason(method, words) == "it reads word ids, and nothing can be differentiated by a word id"
    for method in ("integrated_gradients", "deep_lift", "shap_deep", "shap_gradient"):
        assert "padded" in reason(method, padded)
    assert reason("shap_deep", layered) == "for SiLU, layer normalisation there is no rule in the library"
    assert "an operation of its own" in reason("lrp", foreign)
    assert "softplus" in reason("lrp", candidate_of(made_problem("binary"), (0,), activation="softplus"))
    assert EXPLAINERS["saliency"].applies_to(padded).ok


def test_a_method_that_does_not_apply_falls_back_and_says_why() -> None:
    found = candidate_of(made_problem("binary"), (0, 1), activation="softplus")
    rows = found.problem.valid.raw[:2]
    with pytest.raises(ExplanationError, match=r"LRP-ε.* does not apply: for softplus there is no rule"):
        explain(found, rows, method="lrp")
    instead = explain(found, rows, method="lrp", fallback=True)
    assert instead.method == "deep_lift"
    assert instead.fallback.startswith("Layer-wise relevance (LRP-ε) does not apply: for softplus")
    assert explain(found, rows, method="saliency", fallback=True).fallback == ""
    assert explain(found, rows, fallback=True).method == "group_shap"
    assert instead.output(0).fallback == instead.fallback


def test_a_gradient_that_is_not_finite_falls_back_and_says_so() -> None:
    X = np.random.default_rng(0).normal(size=(120, 3))
    rooted = known(
        table(X, X[:, 0]), g=((0,), lambda a: torch.sqrt(0 * a)), h=((1,), lambda b: b)
    )  # the slope of g is 0 · ∞
    rows = X[:2]
    with pytest.raises(ExplanationError, match=r"Saliency has no answer: some of its values are not finite"):
        explain(rooted, rows, method="saliency")
    found = explain(rooted, rows, method="saliency", fallback=True)
    assert found.fallback == "Saliency has no answer: some of its values are not finite numbers"
    assert np.isfinite(found.values).all()
    with pytest.raises(ExplanationError, match="shape"):
        explain(rooted, np.zeros((2, 9)), method="saliency", fallback=True)


@pytest.mark.parametrize("kind", ["image", "padded", "words"])
def test_every_method_leads_to_one_that_applies(kind: str) -> None:
    for found in (of_family(problem_of(kind), 2), candidate_of(made_problem("binary"), (0, 1))):
        for name in EXPLAINERS:
            chosen, why_not = next_explainer(found, name)
            assert chosen.applies_to(found).ok
            assert (chosen.name == name) == (why_not == "")
    assert isinstance(of_family(problem_of(kind)), SignalCandidate)
    assert next_explainer(of_family(problem_of(kind)), "group_shap")[0].name == "cell_shap"


def test_relatives_exist_and_an_unknown_method_has_none() -> None:
    for explainer in EXPLAINERS.values():
        assert set(explainer.relatives) <= set(EXPLAINERS)
    with pytest.raises(SettingsError, match="no explainer 'magic'"):
        next_explainer(candidate_of(made_problem("binary"), (0,)), "magic")
    assert choose_explainer(candidate_of(made_problem("binary"), (0,))).name == "group_shap"
