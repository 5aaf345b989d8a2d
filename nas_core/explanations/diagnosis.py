"""Whether a trained network is healthy inside: its gradients, its units, its weights, in words."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, cast

import numpy as np

from nas_core.errors import ExplanationError
from nas_core.explanations.candidate import TrainedCandidate
from nas_core.explanations.diagnosis_check import check_gradients
from nas_core.explanations.diagnosis_findings import findings
from nas_core.explanations.diagnosis_flow import Lesson, flows
from nas_core.explanations.diagnosis_layers import Layer, layers_of
from nas_core.explanations.diagnosis_records import (
    Diagnosis,
    Finding,
    Flow,
    GradientCheck,
    Histogram,
    LayerDiagnosis,
    Units,
)
from nas_core.explanations.diagnosis_units import histogram, layer_units, watched
from nas_core.explanations.signal_candidate import SignalCandidate

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.spaces.family import SignalFamily

__all__ = [
    "Diagnosis",
    "Finding",
    "Flow",
    "GradientCheck",
    "Histogram",
    "LayerDiagnosis",
    "Units",
    "diagnose",
    "initial_network",
]

TABLE_ROWS, SIGNAL_ROWS, FEWEST = 512, 256, 32
OPERATIONS = 150_000_000
"""Multiply-adds that one prediction of all rows may cost; gradients take a few times as long."""
PRACTICALLY_ZERO = 1e-6


def diagnose(
    candidate: TrainedCandidate | SignalCandidate, rows: np.ndarray | None = None, *, seed: int = 0
) -> Diagnosis:
    """Look into a trained network: are its gradients right and alive, do its units do anything?

    Gradients of the training loss on training rows, at the trained weights and at those that ``seed`` draws, say
    whether the signal vanishes or explodes on its way back; finite differences say whether they are right; activations
    on ``rows`` say which units are dead or saturated. Test rows are never read.

    Source: Hochreiter (1991); Glorot & Bengio (2010); Lu et al. (2019), arXiv 1903.06733.
    Differs: signals are compared with those of the layers between here and the output, not with a fixed number.
    Costs: three predictions and two gradients of some hundred rows, and about two hundred predictions of a few rows.

    Args:
        candidate: What to look into; it is left as it is.
        rows: Raw rows (N, P), of signals (N, columns), behind units and activations; training rows when None.
        seed: Of the initial weights (the candidate's own seed gives the ones it began with) and of the samples.

    Raises:
        ExplanationError: The rows have the wrong shape, or there are none.
    """
    layers, notes = layers_of(candidate), []
    at = _chosen(candidate)
    raw = np.asarray(candidate.problem.train.raw[at])
    given = raw if rows is None else candidate.checked(rows)
    if not len(given):
        raise ExplanationError("There are no rows", allowed="one row at least", fix="pass some rows, or none at all")
    x, lesson = _inputs(candidate, given), _lesson(candidate, raw, at)
    module = deepcopy(candidate.module).eval()  # others may be using it, and would run into the hooks
    _, seen = watched(module, [n for layer in layers for n in (*layer.sites, layer.station)], x)
    present, alike = _present(candidate, x), bool((x == x[:1]).all())
    notes += ["All rows are the same, so dead and saturated units cannot be told."] if alike else []
    units = [layer_units(module, layer, seen, present, alike=alike) for layer in layers]
    weights = [_weights(module, layer) for layer in layers]
    double = module if isinstance(candidate, TrainedCandidate) else None
    check = check_gradients(candidate, lesson.x, seed=seed, module=double)
    loss, trained = flows(module, layers, lesson)
    initial_loss, initial = None, dict[str, Flow]()
    start, why = initial_network(candidate, seed)
    if start is None:
        notes.append(why)
    else:
        initial_loss, initial = flows(start, layers, lesson)
    found = tuple(
        _layer(layer, trained.get(layer.name), initial.get(layer.name), *own, *of_units)
        for layer, own, of_units in zip(layers, weights, units)
    )
    notes += [f"Gradients of the inputs were not compared: {check.reason}."] if check.reason else []
    told = findings(found, check, seen=len(x), rows=len(at), loss=loss)
    return Diagnosis(found, check, told, len(at), len(x), loss, initial_loss, tuple(notes))


def initial_network(
    candidate: TrainedCandidate | SignalCandidate, seed: int
) -> tuple[nn.Module, str] | tuple[None, str]:
    """Return the network with the weights that ``seed`` draws, in the precision of the trained one; or None and why."""
    import torch

    from nas_core.training.initialise import initialise

    if isinstance(candidate, TrainedCandidate):
        return candidate.untrained(seed), ""
    # as nas_core.training.networks builds it, without loading what trains it
    with torch.random.fork_rng(devices=[]):  # the constructors of torch draw from the shared generator
        network = cast("SignalFamily", candidate.space.engine).module(candidate.space, candidate.architecture.values)
    initialise(network, seed)
    network = network.to(candidate.dtype)
    wanted = {name: value.shape for name, value in candidate.module.state_dict().items()}
    if wanted != {name: value.shape for name, value in network.state_dict().items()}:
        return None, "Its initial weights are not known: its architecture describes another network."
    return network, ""


def _chosen(candidate: TrainedCandidate | SignalCandidate) -> np.ndarray:
    """Return positions of training rows, evenly spread, as many as the time allows."""
    most = TABLE_ROWS
    if isinstance(candidate, SignalCandidate):
        most = int(np.clip(OPERATIONS // max(1, candidate.facts.operations), FEWEST, SIGNAL_ROWS))
    count = len(candidate.problem.train)
    return np.unique(np.linspace(0, count - 1, min(most, count)).astype(int))


def _inputs(candidate: TrainedCandidate | SignalCandidate, raw: np.ndarray) -> Tensor:
    """Return raw rows as the network takes them."""
    import torch

    if isinstance(candidate, TrainedCandidate):
        return torch.from_numpy(candidate.bank(raw))
    return candidate.shaped(torch.from_numpy(candidate.encode(raw)))


def _lesson(candidate: TrainedCandidate | SignalCandidate, raw: np.ndarray, at: np.ndarray) -> Lesson:
    import torch

    train, x = candidate.problem.train, _inputs(candidate, raw)
    y = torch.from_numpy(np.array(train.y[at]))
    weights = None if train.weights is None else torch.from_numpy(np.array(train.weights[at])).to(x.dtype)
    return Lesson(x, y if candidate.problem.task == "classification" else y.to(x.dtype), weights,
                  candidate.problem.task)  # fmt: skip


def _present(candidate: TrainedCandidate | SignalCandidate, x: Tensor) -> Tensor | None:
    """Return (N, steps) where padded sequences have a step; None where nothing is padded."""
    if isinstance(candidate, TrainedCandidate) or not candidate.signal.padded:
        return None
    return x[:, 0].round() != 0 if candidate.signal.vocabulary else x[:, -1] > 0.5


def _layer(
    layer: Layer, trained: Flow | None, initial: Flow | None, weights: np.ndarray, connections: np.ndarray,
    units: tuple[Units, ...], activations: np.ndarray,
) -> LayerDiagnosis:  # fmt: skip
    """Return the diagnosis of one layer."""
    return LayerDiagnosis(
        layer.name, layer.label, layer.nodes, weights.size, trained, initial, units, histogram(weights),
        histogram(activations), float(np.sqrt(np.square(weights).sum())), connections.size,
        int((np.abs(connections) < PRACTICALLY_ZERO).sum()),
    )  # fmt: skip


def _weights(module: nn.Module, layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of a layer as they are used, and those of them that multiply what comes in.

    Left out are weights that an architecture fixes at 0: those of a sparse connection, the vector of the padding word.
    """
    from torch import nn

    from nas_core.spaces.tabular.module import ConstrainedLinear

    found, connections = [np.zeros(0)], [np.zeros(0)]
    for name in layer.parameters:
        path, _, last = name.rpartition(".")
        owner = module.get_submodule(path)
        values = getattr(owner, last).detach()
        several = values.ndim > 1
        if isinstance(owner, ConstrainedLinear) and last == "weight":
            values = owner.effective().detach()[owner.mask.bool()]
        elif isinstance(owner, nn.Embedding) and owner.padding_idx is not None:
            values = values[[i for i in range(len(values)) if i != owner.padding_idx]]
        found.append(values.reshape(-1).double().cpu().numpy())
        connections += [found[-1]] if several else []
    return np.concatenate(found), np.concatenate(connections)
