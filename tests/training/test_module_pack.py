"""A trained pack of signal networks: predictions in chunks, weights to keep."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from network_samples import QUICK, image_problem, image_space, network_of, sampled_networks

from nas_core.errors import ExplanationError
from nas_core.training import module_pack
from nas_core.training.fit import ModulePack, PackItem, train_pack
from nas_core.training.module_pack import largest_map
from nas_core.training.networks import build_network


@pytest.fixture(scope="module")
def pack() -> ModulePack:
    items = [PackItem(network_of(normalisation="batch", dropout=0.2), 3), PackItem(sampled_networks(1)[0], 4)]
    return train_pack(image_problem(), image_space(), items, recipe=QUICK, device="cpu").pack  # type: ignore[return-value]


def test_predictions_are_those_of_the_modules(pack: ModulePack) -> None:
    E = image_problem().valid.E
    outputs = pack.predict(E)
    assert outputs.shape == (2, len(E), 3)
    assert outputs.dtype == np.float32
    for k in range(pack.K):
        assert not pack.module(k).training
        with torch.no_grad():
            plain = pack.module(k)(torch.from_numpy(np.array(E)).view(-1, 1, 7, 6)).numpy()
        assert outputs[k] == pytest.approx(plain, abs=1e-5)


def test_chunks_do_not_change_predictions(pack: ModulePack, monkeypatch: pytest.MonkeyPatch) -> None:
    E = image_problem().valid.E
    whole = pack.predict(E)
    monkeypatch.setattr(module_pack, "CHUNK_NUMBERS", 1)
    assert pack.predict(E) == pytest.approx(whole, abs=1e-5)
    assert pack.predict(E[:0]).shape == (2, 0, 3)


def test_the_largest_map_bounds_a_chunk(pack: ModulePack) -> None:
    seen: list[int] = []
    for k in range(pack.K):
        hooks = [
            m.register_forward_hook(lambda _m, _i, out: seen.append(out.shape[0] * out[0].numel()))
            for m in pack.module(k).modules()
        ]
        pack.predict(image_problem().valid.E)
        most = largest_map(pack.module(k), torch.zeros(1, 1, 7, 6))
        for hook in hooks:
            hook.remove()
        assert max(seen) <= max(most, module_pack.CHUNK_NUMBERS)
        assert most * 20 == max(seen), "20 validation rows fit in one chunk here"
        seen.clear()


def test_weights_rebuild_the_network(pack: ModulePack) -> None:
    items = [PackItem(network_of(normalisation="batch", dropout=0.2), 77)]
    network = build_network(image_space(), items[0])
    weights = pack.weights(0)
    assert any(name.endswith("running_mean") for name in weights)
    assert all(values.flags.c_contiguous and values.flags.writeable for values in weights.values())
    network.load_state_dict({name: torch.from_numpy(values) for name, values in weights.items()})
    E = image_problem().valid.E
    again = ModulePack([network.eval()], image_problem().dataset.signal, 3, torch.device("cpu")).predict(E)
    assert again[0] == pytest.approx(pack.predict(E)[0], abs=1e-5)


def test_weights_are_copies(pack: ModulePack) -> None:
    before = pack.predict(image_problem().valid.E)
    for values in pack.weights(0).values():
        values[...] = 0
    assert np.array_equal(pack.predict(image_problem().valid.E), before)


def test_a_network_that_could_not_be_built_is_asked_for_in_vain(pack: ModulePack) -> None:
    empty = ModulePack([None], pack.signal, 3, torch.device("cpu"))
    with pytest.raises(ExplanationError, match="Candidate 0 of the pack could not be built"):
        empty.module(0)
