"""The diagnosis of trained networks: what it finds in broken ones, what it leaves alone in sound ones."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_examples import problem_of
from torch import Tensor, nn
from toy_candidates import DEFAULTS, candidate_of
from toy_signal_candidates import candidate as around
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.errors import ExplanationError
from nas_core.explanations import SignalCandidate, TrainedCandidate
from nas_core.explanations.diagnosis import Diagnosis, diagnose, initial_network
from nas_core.spaces import SearchSpace
from nas_core.spaces.family import graph


class _Wrong(torch.autograd.Function):
    """tanh whose derivative is 1 % too large."""

    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return torch.tanh(z)

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> Any:
        (z,) = ctx.saved_tensors
        return slopes[0] * (1 - torch.tanh(z).square()) * 1.01


class WrongTanh(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return _Wrong.apply(z)


def deep(problem: Problem, activation: str, *, depth: int = 8, width: int = 32, scale: float = 1.0) -> TrainedCandidate:
    """Return an untrained candidate of one group, deeper than a preset allows; hidden weights times ``scale``."""
    known = SearchSpace.for_problem(problem, "accurate").model_dump(mode="json")
    for variable in known["variables"]:
        if variable["name"] == "depth":
            variable["high"] = depth
    space = SearchSpace.model_validate(known)
    groups = [{"features": list(range(problem.P)), "linear": False}]
    values = {**DEFAULTS, "depth": depth, "width": width, "activation": activation, "groups": groups}
    made = candidate_of(problem, tuple(range(problem.P)))
    architecture = space.architecture(values)
    from nas_core.spaces.tabular.module import build

    weights = {k: v.numpy() for k, v in build(architecture, problem.encoder, problem.C, seed=1).state_dict().items()}
    scaled = {k: v * scale if "layers" in k and "weight" in k else v for k, v in weights.items()}
    return TrainedCandidate(made.problem, space, architecture, scaled)


def kinds(found: Diagnosis) -> set[str]:
    return {f.kind for f in found.findings if f.severity != "note"}


def test_the_gradients_of_every_kind_of_table_network_are_right(made: Any) -> None:
    for groups, values in (
        ([(0,), (1, 2), (5,)], {}),
        ([(0, 1, 2, 3)], {"activation": "relu", "depth": 3, "connections": "dense", "normalisation": "batch"}),
        ([(0, 1), (2, 3)], {"activation": "softplus", "connections": "residual", "normalisation": "layer"}),
        ([(0,), (1, 2)], {"activation": "relu", "marks": {"0": 1}, "encoding": "standardised", "depth": 3,
                          "connections": "sparse"}),
        ([(0,), (3,)], {"linear": True}),
    ):  # fmt: skip
        check = diagnose(made(*groups, **values)).check
        assert check.ok, (groups, values, check)
        assert check.inputs > 0
        assert check.parameters > 0
        assert check.error < 1e-4


@pytest.mark.parametrize("kind", ["image", "series", "padded", "words"])
@pytest.mark.parametrize("seed", range(4))
def test_the_gradients_of_signal_networks_are_right(kind: str, seed: int) -> None:
    found = diagnose(of_family(problem_of(kind), seed))
    assert found.check.ok, found.check
    assert ("looked up by their number" in found.check.reason) == (kind == "words")
    assert (found.check.inputs == 0) == (kind == "words")


def test_a_wrong_derivative_is_found_and_said(binary: Problem) -> None:
    candidate = candidate_of(binary, (0,), (1, 2))
    assert diagnose(candidate).check.ok
    candidate.module.groups[1].layers[0].activation = WrongTanh()
    found = diagnose(candidate)
    assert found.check.ok is False
    assert found.check.error == pytest.approx(0.01, rel=0.5)
    assert found.findings[0].severity == "serious"
    assert "Its gradients are wrong" in found.findings[0].words
    assert "groups.1." in found.check.worst or found.check.worst == "inputs"


def test_a_wrong_derivative_in_a_signal_network_is_found() -> None:
    problem = problem_of("image")
    candidates = (of_family(problem, seed) for seed in range(20))
    candidate, name = next((c, n) for c in candidates for n, _ in c.module.named_modules() if n.endswith("activation"))
    assert diagnose(candidate).check.ok
    owner, _, last = name.rpartition(".")
    setattr(candidate.module.get_submodule(owner), last, WrongTanh())
    assert diagnose(candidate).check.ok is False


def test_kinks_are_skipped_and_counted(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1), activation="relu", depth=1)
    with torch.no_grad():
        candidate.module.groups[0].layers[0].linear.weight.zero_()
        candidate.module.groups[0].layers[0].linear.bias.zero_()  # every unit sits on its kink, whatever comes in
    check = diagnose(candidate).check
    assert check.skipped > 0
    assert check.ok


def test_the_signal_vanishes_in_a_deep_sigmoid_network(binary: Problem) -> None:
    found = diagnose(deep(binary, "sigmoid"), seed=1)
    first, last = found.layer("group0.layer1").trained, found.layer("group0.layer8").trained
    assert first.trend == "vanishing"
    assert first.gain < 1e-3 < last.gain
    assert last.trend == ""
    assert found.layer("group0.layer1").initial == first  # the same seed draws the same weights
    told = next(f for f in found.findings if f.kind == "vanishing")
    assert told.severity == "serious"
    assert "as it did at initialisation" in told.words
    assert "residual" in told.advice


def test_relu_of_the_same_depth_is_left_alone(binary: Problem) -> None:
    found = diagnose(deep(binary, "relu"), seed=1)
    assert not kinds(found)
    assert all(layer.trained.trend == "" for layer in found.layers)


def test_the_signal_explodes_where_weights_are_too_large(binary: Problem) -> None:
    found = diagnose(deep(binary, "relu", scale=10.0), seed=1)
    assert found.layer("group0.layer1").trained.trend == "exploding"
    assert found.layer("group0.layer1").trained.gain > 1e5
    assert found.layer("group0.layer1").initial.trend == ""
    told = next(f for f in found.findings if f.kind == "exploding")
    assert "stronger than in the layers it came through" in told.words
    relative = [layer.trained.relative for layer in found.layers[:6]]
    assert max(relative) < 3 * min(relative)  # Glorot & Bengio: the gradients of the weights alone do not show it


def test_signals_are_those_of_automatic_differentiation(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2), depth=1)
    found = diagnose(candidate)
    E = torch.from_numpy(candidate.bank(np.asarray(binary.train.raw)))
    group = candidate.module.groups[0]
    sums = group.layers[0].linear(E).detach().requires_grad_()
    outputs = candidate.module.bias + group.reads["1"](torch.tanh(sums))
    y = torch.from_numpy(np.array(binary.train.y)).double()
    loss = nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], y, reduction="sum")
    (expected,) = torch.autograd.grad(loss, sums)
    flow = found.layer("group0.layer1").trained
    assert flow.signal == pytest.approx(float(expected.norm()) / len(E) ** 0.5)
    assert found.loss == pytest.approx(float(loss.detach()) / len(E))
    parameters = [*group.layers[0].linear.parameters()]
    assert flow.weights == pytest.approx(float(torch.cat([p.detach().reshape(-1) for p in parameters]).norm()))


@pytest.mark.parametrize("kind", ["image", "series", "padded", "words"])
def test_layers_are_named_as_in_the_graph_and_hold_every_weight(kind: str) -> None:
    for seed in range(6):
        candidate = of_family(problem_of(kind), seed)
        found = diagnose(candidate)
        picture = graph(candidate.space, candidate.architecture)
        names = [node for layer in found.layers for node in layer.nodes]
        assert set(names) <= set(picture.nodes)
        assert len(names) == len(set(names))
        assert sum(layer.parameters for layer in found.layers) == sum(
            p.numel() for p in candidate.module.parameters()
        ) - (candidate.module.embedding.table.embedding_dim if kind == "words" else 0)  # of the padding word
        assert found.layers[-1].name == "readout"


def test_layers_of_tables_are_named_as_in_the_graph_and_hold_every_weight(made: Any) -> None:
    for values in ({}, {"normalisation": "batch", "activation": "relu"}, {"depth": 1, "connections": "full"}):
        candidate = made((0,), (1, 2, 4), **values)
        found = diagnose(candidate)
        picture = graph(candidate.space, candidate.architecture)
        assert {node for layer in found.layers for node in layer.nodes} <= set(picture.nodes)
        assert sum(x.parameters for x in found.layers) == sum(p.numel() for p in candidate.module.parameters())


def test_cells_are_diagnosed_edge_by_edge() -> None:
    problem = problem_of("image")
    space = SearchSpace.for_problem(problem, family="cell")
    architecture = space.sample(np.random.default_rng(3))
    weights = space.engine.module(space, architecture.values).state_dict()  # type: ignore[attr-defined]
    arrays = {name: value.numpy().copy() for name, value in weights.items()}
    found = diagnose(SignalCandidate.rebuilt(problem, space, architecture, arrays))
    assert found.check.ok
    assert found.layer("stem").label == "Stem: 3×3 convolution"
    assert found.layers[-1].trained.trend == ""


def test_it_leaves_the_candidate_as_it_was(binary: Problem) -> None:
    for candidate in (candidate_of(binary, (0, 1, 2), normalisation="batch"), of_family(problem_of("image"), 1)):
        before = deepcopy(candidate.module.state_dict())
        torch.manual_seed(5)
        state = torch.get_rng_state()
        diagnose(candidate)
        assert torch.equal(torch.get_rng_state(), state)
        after = candidate.module.state_dict()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert not candidate.module.training
        assert not any(m._forward_hooks for m in candidate.module.modules())


def test_it_is_deterministic_and_never_opens_the_test_rows(problem: Problem) -> None:
    candidate = candidate_of(problem, (0, 3), (1, 2, 5))
    before = problem.test_opened
    assert diagnose(candidate, seed=4) == diagnose(candidate, seed=4)
    assert diagnose(candidate, seed=4) != diagnose(candidate, seed=5)
    assert problem.test_opened == before


def test_given_rows_are_behind_the_units_only(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1), activation="relu")
    found, other = diagnose(candidate, np.asarray(binary.valid.raw[:20])), diagnose(candidate)
    assert (found.seen, found.rows) == (20, other.rows)
    assert [x.trained for x in found.layers] == [x.trained for x in other.layers]


def test_rows_that_do_not_fit_are_refused(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    with pytest.raises(ExplanationError, match=r"There are no rows.*one row at least"):
        diagnose(candidate, np.zeros((0, binary.P)))
    with pytest.raises(ExplanationError, match=r"The rows have the shape"):
        diagnose(candidate, np.zeros((3, 2)))


def test_a_network_without_hidden_layers_has_weights_and_no_units_to_lose(binary: Problem) -> None:
    found = diagnose(candidate_of(binary, (0, 3), linear=True))
    assert found.check.ok
    assert {x.name for x in found.layers} == {"group0.read", "group1.read", "output"}
    assert found.healthy


def test_a_network_that_its_architecture_does_not_describe_is_taken_apart_by_modules() -> None:
    problem = problem_of("image")
    from signal_examples import PlaceNetwork

    candidate = around(problem, PlaceNetwork(problem.signal_encoder.shape, problem.C))
    found = diagnose(candidate)
    assert [layer.name for layer in found.layers] == ["conv", "relu", "linear"]
    assert found.check.ok
    assert "initial weights are not known" in found.notes[0]
    assert all(layer.initial is None for layer in found.layers)
    assert initial_network(candidate, 0)[0] is None


def test_a_formula_without_weights_has_nothing_to_compare_but_its_inputs() -> None:
    from signal_examples import Formula

    problem = problem_of("image", classes=0)
    found = diagnose(around(problem, Formula(lambda x: x[:, :1] * x[:, 1:2])))
    assert found.layers == ()
    assert found.check.parameters == 0
    assert found.check.ok
    assert found.findings == ()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["relu", "tanh", "gelu", "softplus", "sigmoid", "silu"]))
def test_right_gradients_pass_whatever_the_weights(binary: Problem, seed: int, activation: str) -> None:
    candidate = candidate_of(binary, (0, 1), (2,), activation=activation, width=4, seed=seed)
    check = diagnose(candidate, seed=seed).check
    assert check.ok, check


def test_initial_weights_are_those_that_training_begins_with() -> None:
    from nas_core.training.networks import build_network
    from nas_core.training.progress import PackItem

    for kind in ("image", "padded", "words"):
        candidate = of_family(problem_of(kind), 1)
        found, _ = initial_network(candidate, 7)
        expected = build_network(candidate.space, PackItem(candidate.architecture, 7)).to(candidate.dtype).state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in found.state_dict().items())
