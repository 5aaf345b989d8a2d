"""Which signal networks are trained by compiled kernels, which as a pack, and which one by one by torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from nas_core.spaces.layers import SignalNetwork
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.training import PackTraining, packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.progress import PackItem
from nas_core.training.side_by_side import Lessons

__all__ = ["in_packs"]

Networks = Mapping[int, SignalNetwork]
Divided = tuple[list[Lessons], list[list[int]]]


def in_packs(
    networks: Networks, items: Sequence[PackItem], lesson: Lesson, workers: int, device: torch.device
) -> Divided:
    """Return what is trained, and for each training the numbers of its networks.

    On a processor each network is trained by itself, by compiled kernels. On an accelerator networks are as many packs
    as ``workers``. Torch trains, one by one, what has an operation that those lack. Which way a network is trained
    depends on itself and the device alone, so its numbers do not depend on its company.
    """
    return _compiled(networks, items, lesson) if device.type == "cpu" else _packed(networks, items, lesson, workers)


def _compiled(networks: Networks, items: Sequence[PackItem], lesson: Lesson) -> Divided:
    # numba takes a while to import, and who trains tables does not need it
    from nas_core.training.compiled.training import CompiledTraining, compiled_plan, sheets_of

    row, sheets = lesson.train.x[:1], sheets_of(lesson)
    trainings: list[Lessons] = []
    for k, network in networks.items():
        plan = compiled_plan(network, row)
        if plan is None:
            trainings.append(NetworkTraining(network, items[k], lesson))
        else:
            trainings.append(CompiledTraining(network, items[k], lesson, plan, sheets))
    return trainings, [[k] for k in networks]


def _packed(networks: Networks, items: Sequence[PackItem], lesson: Lesson, workers: int) -> Divided:
    row: Tensor = lesson.train.x[:1]
    together: list[tuple[int, Plan]] = []
    alone: list[int] = []
    for k, network in networks.items():
        plan = packed_plan(network, row)
        if plan is None:
            alone.append(k)
        else:
            together.append((k, plan))
    trainings: list[Lessons] = []
    numbers: list[list[int]] = []
    for part in (together[n::workers] for n in range(workers)):
        if part:
            trainings.append(PackTraining([(networks[k], items[k], plan) for k, plan in part], lesson))
            numbers.append([k for k, _ in part])
    trainings += [NetworkTraining(networks[k], items[k], lesson) for k in alone]
    return trainings, [*numbers, *([k] for k in alone)]
