"""The same networks before their first gradient step: what training has to improve upon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from nas_core.spaces.tabular.layout import network_layout
from nas_core.spaces.tabular.module import initial_values
from nas_core.training.device import one_thread, pick_device
from nas_core.training.module_pack import ModulePack
from nas_core.training.network import initial_stats, pack_members
from nas_core.training.networks import build_network, placed
from nas_core.training.progress import PackItem
from nas_core.training.trained import TrainedPack

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.spaces.layers import SignalNetwork
    from nas_core.spaces.space import SearchSpace

__all__ = ["untrained_pack"]


def untrained_pack(
    problem: Problem, space: SearchSpace, items: Sequence[PackItem], *, device: str = "auto"
) -> TrainedPack | ModulePack:
    """Return the networks of these items with the weights that their training starts from.

    The same seed gives the same weights as in :func:`nas_core.training.fit.train_pack`. A network of images or
    sequences that cannot be built is left out and predicts NaN.

    Raises:
        SettingsError: The device does not exist.
    """
    where = pick_device(device)
    with one_thread():
        return _tables(problem, items, where) if space.signal is None else _signals(problem, space, items, where)


def _tables(problem: Problem, items: Sequence[PackItem], where: torch.device) -> TrainedPack:
    layouts = [network_layout(item.architecture, problem.encoder, problem.C) for item in items]
    members = pack_members(layouts, [item.seed for item in items])
    flat = torch.zeros(sum(member.run for member in members))
    for member in members:
        flat[member.start : member.start + member.layout.size] = initial_values(member.layout, member.seed)
    return TrainedPack(layouts, flat, initial_stats(layouts), range(len(items)), problem.encoder.D, where)


def _signals(problem: Problem, space: SearchSpace, items: Sequence[PackItem], where: torch.device) -> ModulePack:
    assert problem.dataset.signal is not None  # a space of signals is made for signals
    networks = [_network(space, item, where) for item in items]
    return ModulePack(networks, problem.dataset.signal, problem.C, where)


def _network(space: SearchSpace, item: PackItem, where: torch.device) -> SignalNetwork | None:
    try:
        network = placed(build_network(space, item), where)
    except Exception:  # noqa: BLE001 - its training says why it cannot be built
        return None
    network.eval()
    return network
