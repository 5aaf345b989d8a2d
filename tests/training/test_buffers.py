"""A network that nobody needs any more gives its buffers back at once."""

from __future__ import annotations

import gc
import weakref

import torch
from training_samples import make_problem, make_space, sampled

from nas_core.spaces.tabular.layout import network_layout
from nas_core.training.bank import Bank
from nas_core.training.network import PackNetwork, pack_members


def test_a_network_is_freed_without_a_search_for_circles() -> None:
    problem, space = make_problem("breast_cancer"), make_space("breast_cancer")
    layouts = [network_layout(a, problem.encoder, problem.C) for a in sampled(space, 8, seed=3)]
    bank = Bank(problem.valid.E, torch.device("cpu"))
    gc.collect()
    gc.disable()
    try:
        with torch.inference_mode():
            network = PackNetwork(pack_members(layouts, range(8)), bank.blank, torch.device("cpu"))
            rows = bank.rows(slice(0, 64))
            logits = network.forward(rows, torch.zeros(64, dtype=torch.int32), 64)
            network.backward(torch.ones_like(logits))
            assert network.flat_gradient().abs().sum() > 0
        gone = weakref.ref(network)
        del network
        assert gone() is None
    finally:
        gc.enable()
