"""What every explainer keeps, on networks of every kind: shapes, completeness, unused features, seeds, odd input."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from signal_examples import problem_of
from toy_candidates import candidate_of, made_problem
from toy_signal_candidates import of_family

from nas_core.errors import ExplanationError
from nas_core.explanations import EXPLAINERS, Attribution, Candidate, SignalCandidate, TrainedCandidate

TABLES = {
    "two classes": ("binary", ((0, 1), (3, 5), (4,)), {}),
    "classes": ("classes", ((0, 1), (3, 5), (4,)), {"activation": "softplus"}),
    "regression": ("regression", ((0, 1), (3, 5), (4,)), {"activation": "sigmoid"}),
    "relu": ("binary", ((0, 1, 3, 4, 5),), {"activation": "relu", "normalisation": "batch", "connections": "residual"}),
    "gelu": ("classes", ((0, 1, 3), (4,)), {"activation": "gelu", "normalisation": "layer", "connections": "dense"}),
    "silu": ("regression", ((0, 1, 3), (4,)), {"activation": "silu", "encoding": "standardised"}),
    "linear": ("regression", ((0, 1), (4,)), {"linear": True, "depth": 0}),
}
SIGNALS = tuple((kind, seed) for kind in ("image", "series", "padded", "words") for seed in (0, 2, 3))
OF_TABLES = [n for n, e in EXPLAINERS.items() if issubclass(TrainedCandidate, e.explains)]
OF_SIGNALS = [n for n, e in EXPLAINERS.items() if issubclass(SignalCandidate, e.explains)]
SAMPLED = [n for n in OF_TABLES if EXPLAINERS[n].sampled and n != "mixed_shap"]
UNUSED = 2  # in no group of any of the tables


def table_candidate(name: str) -> TrainedCandidate:
    kind, groups, values = TABLES[name]
    return candidate_of(made_problem(kind), *groups, **values)


def first(candidate: Candidate, name: str, rows: int = 4, background: int = 7, **given: object) -> Attribution:
    problem = candidate.problem
    return next(EXPLAINERS[name].refine(candidate, problem.valid.raw[:rows], problem.train.raw[:background], **given))


def checked(candidate: Candidate, name: str) -> None:
    """Explain some rows and check what holds for every method; where it does not apply it must say so."""
    explainer = EXPLAINERS[name]
    verdict = explainer.applies_to(candidate)
    assert verdict.reason
    if not verdict.ok:
        with pytest.raises(ExplanationError, match="does not apply"):
            first(candidate, name)
        return
    found = first(candidate, name)
    assert found.values.shape == (4, candidate.problem.P, candidate.outputs)
    assert np.isfinite(found.values).all()
    assert (found.errors is not None) == explainer.sampled
    if found.additive:
        assert found.residual <= explainer.tolerance * max(found.scale, float(np.abs(found.outputs - found.base).max()))
    if found.unit != "output":
        assert (found.values >= 0).all()
    unused = sorted(set(range(candidate.problem.P)) - set(candidate.used))
    assert np.abs(found.values[:, unused]).max(initial=0.0) <= 1e-7


@pytest.mark.parametrize("name", OF_TABLES)
@pytest.mark.parametrize("table", TABLES)
def test_networks_on_tables(table: str, name: str) -> None:
    checked(table_candidate(table), name)


@pytest.mark.parametrize("name", OF_SIGNALS)
@pytest.mark.parametrize(("kind", "seed"), SIGNALS)
def test_networks_on_signals(kind: str, seed: int, name: str) -> None:
    checked(of_family(problem_of(kind), seed), name)


@pytest.mark.parametrize("name", OF_TABLES)
class TestOddInput:
    """Rows and backgrounds at the edge of what there may be."""

    def test_no_rows(self, name: str) -> None:
        assert first(table_candidate("two classes"), name, rows=0).values.shape == (0, 6, 1)

    def test_one_row_against_one(self, name: str) -> None:
        found = first(table_candidate("two classes"), name, rows=1, background=1)
        assert found.values.shape == (1, 6, 1)
        assert np.isfinite(found.values).all()

    def test_a_row_against_itself_is_explained_by_nothing(self, name: str) -> None:
        candidate = table_candidate("two classes")
        rows = candidate.problem.valid.raw[:1]
        found = next(EXPLAINERS[name].refine(candidate, rows, np.repeat(rows, 3, 0)))
        if name != "lrp":  # it counts from zero columns, not from the background
            assert np.abs(found.values).max() <= 1e-7

    def test_a_constant_network_is_explained_by_nothing(self, name: str) -> None:
        candidate = table_candidate("linear" if name == "shap_deep" else "relu")
        with torch.no_grad():
            for parameter in candidate.module.groups.parameters():
                parameter.zero_()
        found = first(candidate, name)
        assert np.abs(found.values).max() <= 1e-7
        assert found.fit is None or (found.fit == 1).all()

    def test_missing_values(self, name: str) -> None:
        candidate = table_candidate("two classes")
        rows = candidate.problem.valid.raw[:2].copy()
        rows[:, 3] = np.nan
        assert np.isfinite(next(EXPLAINERS[name].refine(candidate, rows)).values).all()

    def test_a_network_that_puts_out_nan_is_not_explained_by_nothing(self, name: str) -> None:
        candidate = table_candidate("linear" if name in ("lrp", "shap_deep") else "two classes")
        with torch.no_grad():
            candidate.module.bias.fill_(float("nan"))
        with pytest.raises(ExplanationError, match=r"the network's outputs are not finite.*smaller learning rate"):
            first(candidate, name)

    def test_it_leaves_generators_threads_and_the_network_as_they_are(self, name: str) -> None:
        candidate = table_candidate("two classes")
        np.random.seed(3)
        torch.manual_seed(3)
        numbers, torch_numbers = np.random.get_state()[1].copy(), torch.get_rng_state()
        weights = {k: v.clone() for k, v in candidate.module.state_dict().items()}
        threads, graded = torch.get_num_threads(), torch.is_grad_enabled()
        first(candidate, name)
        assert (np.random.get_state()[1] == numbers).all()
        assert (torch.get_rng_state() == torch_numbers).all()
        assert (torch.get_num_threads(), torch.is_grad_enabled()) == (threads, graded)
        assert all((weights[k] == v).all() for k, v in candidate.module.state_dict().items())
        for module in candidate.module.modules():
            assert not module._forward_hooks
            assert not module._backward_hooks
        assert all(p.grad is None and p.requires_grad for p in candidate.module.parameters())

    def test_it_says_what_it_is(self, name: str) -> None:
        assert "Source:" in EXPLAINERS[name].description
        assert "Costs:" in EXPLAINERS[name].description


@pytest.mark.parametrize("name", SAMPLED)
class TestSampled:
    """Methods whose values get better the longer one waits."""

    def dense(self) -> TrainedCandidate:
        from nas_core.data import Problem, load_data

        problem = Problem.create(load_data("wine"))
        candidate = candidate_of(problem, tuple(range(11)), width=8, depth=1)
        with torch.no_grad():
            for parameter in candidate.module.groups.parameters():
                parameter.mul_(3.0)
        return candidate

    def test_errors_shrink_round_by_round_and_it_can_be_stopped(self, name: str) -> None:
        candidate = self.dense()
        problem = candidate.problem
        rounds = EXPLAINERS[name].refine(candidate, problem.valid.raw[:2], problem.train.raw[:4])
        begin = next(rounds)
        for _ in range(25):
            later = next(rounds)
        rounds.close()
        assert later.passes > begin.passes > 0
        assert 0 < later.typical_margin < begin.typical_margin
        first(candidate, "shap_exact", rows=1)  # whatever it had borrowed is free again

    def test_the_values_are_as_near_as_their_errors_say(self, name: str) -> None:
        candidate = self.dense()
        problem = candidate.problem
        found = EXPLAINERS[name].refine(candidate, problem.valid.raw[:2], problem.train.raw[:4], seed=1)
        later = list(itertools.islice(found, 120))
        apart = np.abs(later[4].values - later[-1].values)
        known = later[4].errors > 0
        assert np.mean(apart[known] <= 3 * later[4].errors[known]) > 0.9

    def test_another_seed_draws_otherwise_and_the_same_the_same(self, name: str) -> None:
        candidate = self.dense()
        one, two, other = (first(candidate, name, rows=1, seed=seed).values for seed in (5, 5, 6))
        assert (one == two).all()
        assert (one != other).any()


def digest(names: list[str]) -> str:
    """Return what the methods say of one candidate, as one number."""
    candidate = candidate_of(made_problem("classes"), (0, 1, 2, 4))
    values = [first(candidate, name, rows=2, seed=7).values for name in names]
    return hashlib.sha256(b"".join(np.round(v, 12).tobytes() for v in values)).hexdigest()


def test_another_process_with_the_same_seed_finds_the_same() -> None:
    folder = Path(__file__).parent
    code = (
        f"import sys; sys.path[:0] = [{str(folder)!r}, {str(folder.parent)!r}]\n"
        f"from test_attribution_contract import SAMPLED, digest; print(digest(SAMPLED))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == digest(SAMPLED)


def test_values_that_are_not_numbers_are_refused() -> None:
    from collections.abc import Iterator

    from nas_core.explanations.base import Explainer, Shares
    from nas_core.records import Verdict

    class Broken(Explainer[TrainedCandidate]):
        """It divides by nothing."""

        name, label, explains = "broken", "Broken", TrainedCandidate

        def fits(self, candidate: TrainedCandidate) -> Verdict:
            return Verdict(ok=True, reason="always")

        def shares(
            self, candidate: TrainedCandidate, rows: np.ndarray, background: np.ndarray, *, seed: int
        ) -> Iterator[Shares]:
            yield Shares(np.full((len(rows), candidate.problem.P, candidate.outputs), np.nan))

    candidate = table_candidate("two classes")
    with pytest.raises(ExplanationError, match=r"Broken has no answer: some of its values are not finite.*another"):
        Broken().explain(candidate, candidate.problem.valid.raw[:2])
