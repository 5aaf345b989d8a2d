"""A rebuilt signal network is the one that was stored; its attention and layer activity are counted by hand again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from signal_examples import problem_of
from toy_candidates import made_problem
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import EXPLAINERS, SignalCandidate, explain, layer_activity
from nas_core.spaces import SearchSpace

KINDS = ("image", "series", "padded", "words")


@pytest.fixture(scope="module", params=KINDS)
def every(request: pytest.FixtureRequest) -> SignalCandidate:
    return of_family(problem_of(request.param))


@pytest.fixture(scope="module")
def image() -> Problem:
    return problem_of()


class TestAttention:
    """Attention weights: what the network itself multiplies with."""

    def of(self, kind: str, **values: object) -> SignalCandidate:
        problem = problem_of(kind)
        space = SearchSpace.for_problem(problem, "accurate", family="sequence")
        architecture = next(
            a
            for a in (space.sample(np.random.default_rng(i)) for i in range(4000))
            if all(a.values[k] == v for k, v in values.items() if k != "layer")
            and (values.get("layer") is None or any(x["kind"] == values["layer"] for x in a.values["layers"]))
        )
        return SignalCandidate(problem, space, architecture, space.engine.module(space, architecture.values))  # type: ignore[attr-defined]

    @pytest.mark.parametrize("kind", ["series", "padded", "words"])
    @pytest.mark.parametrize("values", [{"pooling": "attention"}, {"pooling": "mean", "layer": "attention"}])
    def test_weights_sum_to_one_over_the_steps_that_are_there(self, kind: str, values: dict) -> None:
        network = self.of(kind, **values)
        problem = network.problem
        found = explain(network, problem.valid.raw[:6], method="attention")
        assert found.values.sum(1) == pytest.approx(np.ones((6, 3)), abs=1e-6)
        assert (found.values >= 0).all()
        assert found.unit == "share"
        assert not found.additive
        if kind == "padded":
            absent = np.isnan(problem.valid.raw[:6].reshape(6, 2, 12)[:, 0])
            assert found.maps[:, 0, 0][absent] == pytest.approx(0, abs=1e-7)

    def test_the_pooled_output_is_the_weighted_mean(self) -> None:
        network = self.of("series", pooling="attention")
        rows = network.problem.valid.raw[:4]
        weights = explain(network, rows, method="attention").maps[:, 0, 0]
        with torch.no_grad():
            maps = network.module.features(network.shaped(torch.from_numpy(network.encode(rows)))).double().numpy()
            pooled = torch.from_numpy(np.einsum("nfs,ns->nf", maps, weights)).to(network.dtype)
            outputs = network.module.readout(pooled)
        assert outputs.double().numpy() == pytest.approx(network.predict(rows), abs=1e-5)

    def test_without_attention_it_says_so(self, image: Problem) -> None:
        assert EXPLAINERS["attention"].applies_to(of_family(image)).reason == "it has no attention over steps"


class TestCandidate:
    """A candidate rebuilt from its weights is the network that was stored."""

    def test_it_predicts_what_its_module_predicts(self, every: SignalCandidate) -> None:
        problem = every.problem
        module = every.space.engine.module(every.space, every.architecture.values).eval()  # type: ignore[attr-defined]
        module.load_state_dict(
            {n: v.float() if v.is_floating_point() else v for n, v in every.module.state_dict().items()}
        )
        with torch.no_grad():
            expected = module(torch.from_numpy(problem.valid.E).reshape(-1, *problem.signal_encoder.shape)).numpy()
        assert every.predict(problem.valid.raw) == pytest.approx(expected, rel=1e-4, abs=1e-5)
        assert every.output_names == ("a", "b", "c")
        assert not every.module.training

    def test_weights_of_another_architecture_are_refused(self, image: Problem) -> None:
        network = of_family(image, 0)
        weights = {"nothing": np.zeros(3)}
        with pytest.raises(ExplanationError, match="The weights do not fit the architecture"):
            SignalCandidate.rebuilt(image, network.space, network.architecture, weights)

    def test_rows_with_other_columns_are_refused(self, image: Problem) -> None:
        with pytest.raises(ExplanationError, match=r"shape \(2, 5\).*\(N, 36\): 1 × 6 × 6 numbers"):
            of_family(image).predict(np.zeros((2, 5)))

    def test_a_table_is_refused(self, image: Problem) -> None:
        network = of_family(image)
        with pytest.raises(ExplanationError, match="is a table"):
            SignalCandidate(made_problem("binary"), network.space, network.architecture, network.module)


class TestLayerActivity:
    """Activity per layer: what it counts, against counting by hand."""

    def test_every_module_of_the_graph_is_told(self, every: SignalCandidate) -> None:
        from nas_core.spaces import graph

        found = layer_activity(every, every.problem.valid.raw[:8])
        nodes = graph(every.space, every.architecture).nodes(data=True)
        assert set(found) == {n["module"] for _, n in nodes if n.get("module")}
        assert max(a.attribution_share for a in found.values()) == pytest.approx(1)
        for activity in found.values():
            assert activity.mean_abs_activation >= 0
            assert 0 <= activity.share_zero <= 1
            assert 0 <= activity.attribution_share <= 1 + 1e-12

    def test_zeros_and_sizes_are_counted(self, every: SignalCandidate) -> None:
        found = layer_activity(every, every.problem.valid.raw[:8])
        kept: dict[str, torch.Tensor] = {}

        def keep(name: str) -> Callable[..., None]:
            return lambda _m, _x, y: kept.__setitem__(name, y[0] if isinstance(y, tuple) else y)

        hooks = [every.module.get_submodule(name).register_forward_hook(keep(name)) for name in found]
        every.predict(every.problem.valid.raw[:8])
        for hook in hooks:
            hook.remove()
        for name, activity in found.items():
            assert activity.mean_abs_activation == pytest.approx(float(kept[name].abs().mean()), rel=1e-4)
            assert activity.share_zero == pytest.approx(float((kept[name] == 0).float().mean()), abs=1e-3)

    def test_no_hook_stays_behind(self, every: SignalCandidate) -> None:
        layer_activity(every, every.problem.valid.raw[:2])
        assert not any(m._forward_hooks for m in every.module.modules())
