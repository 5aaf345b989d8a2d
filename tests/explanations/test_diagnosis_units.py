"""What a diagnosis says of units and weights: dead, saturated, near zero, how they are distributed."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from signal_examples import problem_of
from torch import nn
from toy_candidates import candidate_of
from toy_signal_candidates import of_family

from nas_core.data import Problem
from nas_core.explanations.diagnosis import Diagnosis, diagnose
from nas_core.explanations.diagnosis_layers import Layer
from nas_core.explanations.diagnosis_units import BINS, histogram, layer_units
from nas_core.spaces.sequence.blocks import Recurrent, SelfAttention


def kinds(found: Diagnosis) -> set[str]:
    return {f.kind for f in found.findings if f.severity != "note"}


def test_relu_units_that_never_fire_are_counted(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2), activation="relu", width=8, depth=2)
    with torch.no_grad():
        candidate.module.groups[0].layers[1].linear.bias[:5] = -1000.0
    found = diagnose(candidate)
    units = found.layer("group0.layer2").units[0]
    assert (units.function, units.count) == ("relu", 8)
    assert set(units.dead_at) >= {0, 1, 2, 3, 4}
    told = next(f for f in found.findings if f.kind == "dead" and "group0.layer2" in f.layers)
    assert f"{units.dead} of 8 units of layer 2 never fire" in told.words
    assert "A narrower layer would do the same" in told.advice
    assert told.severity in ("warning", "serious")


def test_a_whole_dead_layer_cuts_the_gradient_off(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2), activation="relu", width=8, depth=2)
    with torch.no_grad():
        candidate.module.groups[0].layers[1].linear.bias.fill_(-1000.0)
    found = diagnose(candidate)
    assert found.layer("group0.layer1").trained.trend == "none"
    assert found.layer("group0.layer1").trained.gradient == 0
    assert {"dead", "none", "constant"} <= kinds(found)
    assert "answers the same on all" in found.findings[0].words
    assert not found.healthy


def test_saturated_tanh_units_are_counted(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2), activation="tanh", width=8, depth=1, encoding="standardised")
    assert diagnose(candidate).layer("group0.layer1").units[0].saturated == 0
    with torch.no_grad():
        candidate.module.groups[0].layers[0].linear.weight.mul_(1e4)
    found = diagnose(candidate)
    units = found.layer("group0.layer1").units[0]
    assert units.saturated == 8
    assert units.dead == 0
    assert "8 of 8 units of layer 1 (tanh) are saturated" in next(
        f.words for f in found.findings if f.kind == "saturated"
    )


def test_the_slow_twin_counts_the_same_saturated_units(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2), activation="sigmoid", width=16, depth=1, encoding="standardised")
    with torch.no_grad():
        candidate.module.groups[0].layers[0].linear.weight.mul_(torch.logspace(0, 4, 16, dtype=torch.float64)[:, None])
    found = diagnose(candidate)
    rows = np.asarray(binary.train.raw)
    sums = candidate.module.groups[0].layers[0].linear(torch.from_numpy(candidate.bank(rows))[:, :]).detach().numpy()
    slope = np.exp(-np.abs(sums)) / (1 + np.exp(-np.abs(sums))) ** 2
    low = (slope < 1e-3 * 0.25).mean(axis=0) >= 0.95
    answers = 1 / (1 + np.exp(-np.clip(sums, -700, 700)))
    still = np.ptp(answers, axis=0) <= 1e-6
    units = found.layer("group0.layer1").units[0]
    assert found.seen == len(rows)
    assert units.saturated_at == tuple(np.flatnonzero(low & ~still).tolist())
    assert units.dead_at == tuple(np.flatnonzero(still).tolist())
    assert 0 < units.saturated < 16


def test_gates_are_those_of_the_recurrent_layer() -> None:
    """The forget gate of an LSTM with a huge bias is saturated, and no other."""
    problem = problem_of("series")
    for seed in range(60):
        candidate = of_family(problem, seed)
        found = [m for m in candidate.module.modules() if isinstance(m, Recurrent) and isinstance(m.forwards, nn.LSTM)]
        if found:
            break
    width = found[0].forwards.hidden_size
    with torch.no_grad():
        for name, p in found[0].forwards.named_parameters():
            p.mul_(0.1)
            if name == "bias_ih_l0":
                p[width : 2 * width] = 50.0
    gates = {u.function: u for layer in diagnose(candidate).layers for u in layer.units if u.what == "gates"}
    assert gates["forget gate"].count == width
    assert gates["forget gate"].dead == width  # 1 on every row and step
    assert gates["output gate"].dead == gates["output gate"].saturated == 0
    assert gates["cell input"].saturated == 0


def test_heads_that_look_at_one_step_only_are_saturated() -> None:
    problem = problem_of("series")
    for seed in range(80):
        candidate = of_family(problem, seed)
        found = [m for m in candidate.module.modules() if isinstance(m, SelfAttention)]
        if found:
            break
    with torch.no_grad():
        found[0].query.weight.zero_()
        found[0].query.bias.zero_()
    heads = next(u for layer in diagnose(candidate).layers for u in layer.units if u.function == "attention")
    assert heads.dead == heads.count == found[0].heads  # every score is 0: all steps alike
    with torch.no_grad():
        nn.init.normal_(found[0].query.weight, generator=torch.Generator().manual_seed(0)).mul_(1e4)
    heads = next(u for layer in diagnose(candidate).layers for u in layer.units if u.function == "attention")
    assert heads.dead == 0
    assert heads.saturated == heads.count


def test_padding_does_not_keep_a_unit_alive() -> None:
    """A unit that fires in the padding only is dead: nobody reads it there."""
    module, layer = nn.Sequential(nn.ReLU()), Layer("relu", "relu", (), (), ("0",), "0", frozenset())
    present = torch.tensor([[True, True, False], [True, False, False]])
    made = torch.where(present[:, None], torch.tensor([0.0]), torch.tensor([1.0])).expand(2, 4, 3).clone()
    made[0, 0, 1] = 2.0
    units, activations = layer_units(module, layer, {"0": (made, made)}, present, alike=False)
    assert units[0].dead_at == (1, 2, 3)
    assert sorted(activations) == [0.0] * 11 + [2.0]
    everywhere, _ = layer_units(module, layer, {"0": (made, made)}, None, alike=False)
    assert everywhere[0].dead == 0


def test_one_row_or_equal_rows_cannot_tell_dead_units(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1), activation="relu")
    for rows in (binary.valid.raw[:1], np.repeat(binary.valid.raw[:1], 7, axis=0)):
        found = diagnose(candidate, np.asarray(rows))
        units = found.layer("group0.layer1").units[0]
        assert (units.dead, units.saturated) == (None, None)
        assert units.reason == "all rows are the same"
        assert "All rows are the same" in found.notes[0]
        assert not {f.kind for f in found.findings} & {"dead", "saturated", "constant"}


def test_weights_that_are_not_numbers_are_the_first_finding(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1))
    with torch.no_grad():
        candidate.module.groups[0].layers[0].linear.weight[0, 0] = float("nan")
    found = diagnose(candidate)
    assert (found.findings[0].severity, found.findings[0].kind) == ("serious", "numbers")
    assert "finite numbers" in found.findings[0].words


def test_weights_near_zero_are_noted(binary: Problem) -> None:
    candidate = candidate_of(binary, (0, 1, 2))
    with torch.no_grad():
        candidate.module.groups[0].layers[0].linear.weight.mul_(1e-9)
    found = diagnose(candidate)
    layer = found.layer("group0.layer1")
    assert layer.zero_share == 1.0
    assert any(f.kind == "zeros" and "practically zero" in f.words for f in found.findings)


def test_a_group_that_adds_a_constant_is_named(binary: Problem) -> None:
    candidate = candidate_of(binary, (0,), (1, 2))
    with torch.no_grad():
        candidate.module.groups[0].reads["2"].weight.zero_()
    found = diagnose(candidate)
    told = next(f for f in found.findings if f.kind == "idle")
    assert "‘n0’" in told.words
    assert "Drop these features" in told.advice


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300), st.integers(0, 3), st.integers(0, 2))
def test_a_histogram_counts_every_number_once(values: list[float], unknown: int, infinite: int) -> None:
    numbers = np.array([*values, *[np.nan] * unknown, *[np.inf] * infinite])
    found = histogram(numbers)
    assert sum(found.counts) + found.below + found.above == found.total == len(numbers)
    assert len(found.counts) == BINS == len(found.edges) - 1
    assert all(a < b for a, b in zip(found.edges, found.edges[1:]))


def test_a_histogram_of_nothing_is_none() -> None:
    assert histogram(np.array([np.nan])) is None
    assert histogram(np.zeros(0)) is None


def test_outliers_do_not_stretch_a_histogram() -> None:
    found = histogram(np.concatenate([np.random.default_rng(0).normal(size=10_000), [1e9, -1e9, 2e9]]))
    assert found.edges[-1] < 10
    assert found.above >= 2
