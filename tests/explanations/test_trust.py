"""Which attributions may be trusted: calibrated on those known to be right, and on those known to be wrong."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from known_candidates import known, table
from odd_explainers import Blend, Gradients, InputMagnitude, Noisy, RandomNumbers
from signal_examples import Formula, PlaceNetwork, problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import candidate as signal_candidate
from toy_signal_candidates import of_family

import nas_core
from nas_core.data import Problem
from nas_core.explanations import EXPLAINERS, SignalCandidate, TrainedCandidate, default_background, explain
from nas_core.explanations.base import Candidate, Explainer
from nas_core.explanations.trust import GATES, Gate, Trust, check_attribution
from nas_core.interpretability import MEASURES
from nas_core.records import Measurement
from nas_core.spaces import SearchSpace, facts

BINARY = made_problem("binary")


def uniform_table(features: int = 12, rows: int = 400, seed: int = 0) -> Problem:
    X = np.random.default_rng(seed).uniform(-1, 1, (rows, features))
    return table(X, 10 * X[:, 0] + X.sum(1))


NUMBERS = uniform_table()


def additive() -> TrainedCandidate:
    """f = 8 x0 − 4 x1² + Σ x_j / 10: two features matter, the others hardly do."""
    small = {f"f{j}": ((j,), lambda x: x / 10) for j in range(2, 12)}
    return known(NUMBERS, f0=((0,), lambda x: 8 * x), f1=((1,), lambda x: -4 * x**2), **small)


def product() -> TrainedCandidate:
    """f = 5 x0·x1."""
    return known(uniform_table(4), both=((0, 1), lambda a, b: 5 * a * b), rest=((2,), lambda x: 0 * x))


def saturated() -> TrainedCandidate:
    """f = Σ 1 where x_j > 0.2, −1 where it is not, with a ramp of a hundredth in between: gradients are 0."""
    step = {f"s{j}": ((j,), lambda x: ((x - 0.2) * 100).clamp(-1, 1)) for j in range(6)}
    return known(uniform_table(6), **step)


def gates(trust: Trust) -> dict[str, Gate]:
    return {g.name: g for g in trust.gates}


def checked(
    candidate: Candidate, method: Explainer | str, rows: int = 30, background: int = 60, **given: object
) -> dict[str, Gate]:
    explainer = EXPLAINERS[method] if isinstance(method, str) else method
    against = default_background(candidate.problem, background)
    attribution = explainer.explain(candidate, candidate.problem.valid.raw[:rows], against)
    return gates(check_attribution(candidate, attribution, background=against, explainer=explainer, **given))


def test_exact_values_of_an_additive_network_pass_every_gate() -> None:
    found = checked(additive(), "group_shap")
    assert list(found) == list(GATES)
    assert {n: g.ok for n, g in found.items()} == dict.fromkeys(GATES, True), found
    assert found["faithfulness"].value > 0.999
    assert found["additivity"].value == 0
    assert found["repetition"].words.startswith("Exact")


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sets(st.integers(0, 5), min_size=1))
def test_exact_values_of_an_additive_network_never_fail(seed: int, features: set[int]) -> None:
    candidate = candidate_of(BINARY, *((j,) for j in sorted(features)), seed=seed)
    attribution = explain(candidate, BINARY.valid.raw, default_background(BINARY), method="group_shap")
    trust = check_attribution(candidate, attribution, seed=seed)
    assert trust.trusted, trust.because
    assert not trust.failed


@pytest.mark.parametrize("seed", range(5))
def test_random_numbers_are_not_faithful(seed: int) -> None:
    candidate = additive()
    rows = candidate.problem.valid.raw[:30]
    attribution = RandomNumbers().explain(candidate, rows, seed=seed)
    trust = check_attribution(candidate, attribution, explainer=RandomNumbers())
    assert not trust.trusted
    assert gates(trust)["faithfulness"].ok is False
    assert gates(trust)["repetition"].ok is False
    assert any("does not change the output as the values say" in words for words in trust.because)


def test_a_product_fails_the_gates_of_additive_explanations() -> None:
    found = checked(product(), "shap_exact")
    assert found["additivity"].ok is False
    assert found["additivity"].value == pytest.approx(1.0, abs=0.05)
    assert "one number per feature hides them" in found["additivity"].words
    assert found["completeness"].ok is True


def test_many_products_fail_both_gates_of_additive_explanations() -> None:
    problem = uniform_table(4)
    candidate = known(problem, all=((0, 1, 2, 3), lambda a, b, c, d: 5 * a * b + 5 * c * d + 9 * a * b * c * d))
    found = checked(candidate, "shap_exact", rows=10, background=25)
    assert found["additivity"].ok is False
    attribution = EXPLAINERS["shap_exact"].explain(candidate, problem.valid.raw[:10])
    told = {"additivity": Measurement(value=0.0, raw=1.4), "local_additive_fidelity": Measurement(value=0.3, raw=0.2)}
    trust = check_attribution(candidate, attribution, measures=told)
    assert [g.name for g in trust.failed] == ["additivity", "local_additive_fidelity"]
    assert "reproduces only 30.0% of what the network does" in trust.because[1]
    assert gates(trust)["additivity"].value == 1.4  # the stored one, above 1, is not measured again


def test_gradients_of_a_saturated_network_fail() -> None:
    candidate = saturated()
    far = candidate.problem.valid.raw[np.abs(candidate.problem.valid.raw - 0.2).min(1) > 0.02][:12]
    against = default_background(candidate.problem)
    attribution = Gradients().explain(candidate, far, against)
    assert not attribution.values.any()
    trust = check_attribution(candidate, attribution, background=against, explainer=Gradients())
    assert not trust.trusted
    assert gates(trust)["completeness"].ok is False
    assert gates(trust)["faithfulness"].ok is False
    assert "All values are 0, but taking features away changes the output." in trust.because
    assert checked(candidate, "group_shap")["faithfulness"].ok is True


def test_a_method_that_ignores_the_weights_is_caught() -> None:
    found = checked(additive(), InputMagnitude())
    assert found["emprt"].ok is False
    assert found["emprt"].value == 0
    assert "exactly the same" in found["emprt"].words
    image = signal_candidate(problem_of(), PlaceNetwork((1, 6, 6), 3))
    assert checked(image, InputMagnitude(), rows=10)["emprt"].ok is False


def test_a_method_that_hardly_looks_at_the_weights_is_caught_too() -> None:
    found = checked(additive(), Blend(EXPLAINERS["group_shap"], 1e-3))
    assert found["emprt"].ok is False
    assert "much the same" in found["emprt"].words


def test_values_that_change_with_the_seed_are_caught() -> None:
    assert checked(additive(), Noisy(EXPLAINERS["group_shap"], 1.0))["repetition"].ok is False
    calm = checked(additive(), Noisy(EXPLAINERS["group_shap"], 1e-4))["repetition"]
    assert calm.ok is True
    assert 0.8 <= calm.value < 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("at", [(0, 0, 0), (-1, -1, -1), (3, 2, 0)])
def test_values_that_are_not_numbers_are_named_and_not_believed(bad: float, at: tuple[int, ...]) -> None:
    candidate = additive()
    attribution = explain(candidate, candidate.problem.valid.raw[:8])
    values = attribution.values.copy()
    values[at] = bad
    trust = check_attribution(candidate, replace(attribution, values=values))
    assert not trust.trusted
    assert trust.because == (f"1 of its {values.size} values are not numbers.",)
    assert len(trust.gates) == len(GATES)


def test_an_attribution_without_rows_says_so() -> None:
    candidate = additive()
    trust = check_attribution(candidate, explain(candidate, np.zeros((0, 12))))
    assert not trust.trusted
    assert not trust.failed
    assert "no rows" in trust.gates[0].words
    assert trust.because == ("None of the checks could be made.",)


def test_a_constant_network_has_nothing_to_explain() -> None:
    constant = known(uniform_table(3), **{f"g{j}": ((j,), lambda x: 0 * x + 2) for j in range(3)})
    found = checked(constant, "group_shap")
    assert found["completeness"].ok is True
    assert found["faithfulness"].ok is None
    assert "nothing to be faithful to" in found["faithfulness"].words
    assert "All values are 0" in found["emprt"].words
    assert not [g for g in found.values() if g.ok is False]
    shown = explain(constant, constant.problem.valid.raw[:5])
    invented = replace(shown, values=shown.values + 1.0)
    assert gates(check_attribution(constant, invented))["faithfulness"].ok is False


def test_one_row_one_feature_and_a_category_alone() -> None:
    lone = known(uniform_table(1), only=((0,), lambda x: 3 * x))
    found = checked(lone, "group_shap")
    assert found["faithfulness"].ok is True
    assert found["faithfulness"].value == pytest.approx(1.0)
    assert "fewer than two features" in found["emprt"].words
    told = checked(lone, "group_shap", rows=1)["faithfulness"]
    assert told.ok is None
    assert "so few features and rows" in told.words
    for candidate in (candidate_of(BINARY, (5,)), candidate_of(BINARY, (3,), (5,))):
        assert not [g for g in checked(candidate, "group_shap", rows=1).values() if g.ok is False]


def test_an_unknown_method_is_checked_as_far_as_it_goes() -> None:
    candidate = additive()
    attribution = replace(explain(candidate, candidate.problem.valid.raw[:20]), method="by hand")
    found = gates(check_attribution(candidate, attribution))
    assert found["faithfulness"].ok is True
    for name in ("emprt", "repetition"):
        assert found[name].ok is None
        assert "'by hand' is not known here" in found[name].words


def test_one_output_of_several_can_be_checked_alone() -> None:
    problem = made_problem("classes")
    candidate = candidate_of(problem, (0,), (1, 2), (5,))
    whole = explain(candidate, problem.valid.raw[:20], default_background(problem))
    found = gates(check_attribution(candidate, whole.output(2)))
    assert found["faithfulness"].value > 0.9
    assert found["repetition"].words.startswith("Exact")
    assert found["completeness"].ok is True
    assert gates(check_attribution(candidate, whole))["faithfulness"].ok is True


def test_the_same_arguments_give_the_same_answer_and_the_global_generators_are_left_alone() -> None:
    candidate = additive()
    attribution = explain(candidate, candidate.problem.valid.raw[:20])
    np.random.seed(3)
    torch.manual_seed(3)
    before = (np.random.get_state()[1].copy(), torch.get_rng_state().clone())
    first, second = (check_attribution(candidate, attribution, seed=4) for _ in range(2))
    assert first == second
    assert (np.random.get_state()[1] == before[0]).all()
    assert torch.equal(torch.get_rng_state(), before[1])


def test_the_candidate_keeps_its_weights() -> None:
    candidate = candidate_of(BINARY, (0, 1), (2,))
    rows = BINARY.valid.raw[:10]
    before = candidate.predict(rows)
    check_attribution(candidate, explain(candidate, rows))
    assert (candidate.predict(rows) == before).all()


@pytest.mark.parametrize("kind", ["image", "series", "padded", "words"])
def test_every_method_on_every_kind_of_signal_is_checked_without_a_traceback(kind: str) -> None:
    candidate = of_family(problem_of(kind))
    for method in [name for name, e in EXPLAINERS.items() if e.applies_to(candidate).ok]:
        attribution = explain(candidate, candidate.problem.valid.raw[:6], candidate.problem.train.raw[:6],
                              method=method, seconds=0.0)  # fmt: skip
        trust = check_attribution(candidate, attribution)
        assert [g.name for g in trust.gates] == list(GATES)
        assert all(g.words.endswith(".") for g in trust.gates)
        assert all(g.value is None or np.isfinite(g.value) for g in trust.gates)


def test_a_product_of_pixels_is_not_told_by_one_number_per_patch() -> None:
    problem = problem_of(classes=0)
    space = SearchSpace.for_problem(problem)
    drawn = (space.sample(np.random.default_rng(seed)) for seed in range(50))
    joining = next(a for a in drawn if facts(space, a).pairs)  # one whose structure does not rule interactions out

    def of(formula: Callable[[torch.Tensor], torch.Tensor]) -> SignalCandidate:
        found = SignalCandidate(problem, space, joining, Formula(formula))
        found.dtype, found.module = torch.float64, found.module.double()
        return found

    found = checked(of(lambda x: (x[:, 0] * x[:, 1] * x[:, 2])[:, None]), "cell_shap", rows=6, background=10)
    assert found["additivity"].ok is False
    added = checked(of(lambda x: (x[:, 0] + 2 * x[:, 1] - x[:, 7])[:, None]), "cell_shap", rows=6, background=10)
    assert added["additivity"].ok is True
    assert added["faithfulness"].value == pytest.approx(1.0, abs=0.05)
    assert "no weights" in added["emprt"].words


def test_a_method_that_claims_less_is_not_trusted_more() -> None:
    candidate = known(uniform_table(8), **{"all": (tuple(range(8)), lambda *x: 5 * x[0] * x[1] * x[2])})
    told = {"additivity": Measurement(value=0.0, raw=1.0), "local_additive_fidelity": Measurement(value=0.5, raw=0.5)}
    for method in ("shap_permutation", "occlusion"):
        trust = check_attribution(candidate, explain(candidate, candidate.problem.valid.raw[:5], method=method),
                                  measures=told)  # fmt: skip
        assert {"additivity", "local_additive_fidelity"} <= {g.name for g in trust.failed}
    sizes = explain(candidate, candidate.problem.valid.raw[:5], method="saliency")
    assert gates(check_attribution(candidate, sizes, measures=told))["additivity"].ok is None


def test_no_gate_is_an_objective_of_any_search() -> None:
    own = set(GATES) - {"additivity", "local_additive_fidelity"}  # these two read measures, they do not define them
    assert not own & set(MEASURES)
    root = Path(nas_core.__file__).parent
    rooms = ("evaluation", "search", "interpretability", "data", "spaces", "training")
    files = [p for room in rooms for p in (root / room).rglob("*.py")]
    files += [root / "preferences.py", root / "objectives.py", root / "records.py"]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [a.name for a in node.names] if isinstance(node, ast.Import) else []
            assert not [n for n in named if ".gates" in n or n.endswith("explanations.trust")], path
    from nas_core.explanations import gates as folder

    assert "never maximised" in (folder.__doc__ or "")
