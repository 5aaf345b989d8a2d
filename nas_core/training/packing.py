"""Which networks of images are trained as a pack, and which by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nas_core.spaces.layers import SignalNetwork
from nas_core.training.batched.layout import Plan
from nas_core.training.batched.training import PackTraining, packed_plan
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.progress import PackItem
from nas_core.training.side_by_side import Training

__all__ = ["in_packs"]


def in_packs(
    networks: Mapping[int, SignalNetwork], items: Sequence[PackItem], lesson: Lesson, workers: int, *, packed: bool
) -> tuple[list[Training], list[list[int]]]:
    """Return what is trained, packs first, and for each training the numbers of its networks.

    Where ``packed``, networks of images are as many packs as ``workers``, for accelerators. On a processor each is
    trained by itself: measured there, what a pack of random convolutional networks saves in calls it loses in padding
    and copies. Which way a network is trained depends on itself and the device alone, so its numbers do not depend on
    its company.
    """
    row = lesson.train.x[:1]
    together: list[tuple[int, Plan]] = []
    alone: list[int] = []
    for k, network in networks.items():
        plan = packed_plan(network, row) if packed else None
        if plan is None:
            alone.append(k)
        else:
            together.append((k, plan))
    trainings: list[Training] = []
    numbers: list[list[int]] = []
    for part in (together[n::workers] for n in range(workers)):
        if part:
            trainings.append(PackTraining([(networks[k], items[k], plan) for k, plan in part], lesson))
            numbers.append([k for k, _ in part])
    trainings += [NetworkTraining(networks[k], items[k], lesson) for k in alone]
    return trainings, [*numbers, *([k] for k in alone)]
