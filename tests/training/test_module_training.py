"""Signal networks: independence, stopping, failures, progress, what is kept, and silence."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from network_samples import QUICK, image_problem, image_space, network_of, sampled_networks
from network_twin import kept_of
from torch import Tensor, nn

from nas_core.data import Recipe
from nas_core.errors import SettingsError
from nas_core.records import Architecture
from nas_core.spaces.layers import Dropout
from nas_core.training.fit import PackItem, PackResult, StopSignal, train_each, train_pack
from nas_core.training.learner import Lesson
from nas_core.training.network_training import NetworkTraining
from nas_core.training.progress import PackProgress
from nas_core.training.side_by_side import SideBySide, workers_on
from nas_core.training.signal_rows import SignalRows

ENDLESS = Recipe(max_epochs=10_000, batch_size=16, patience=10_000, min_delta=0.0)


def trained(items: list[PackItem], recipe: Recipe = QUICK) -> PackResult:
    return train_pack(image_problem(), image_space(), items, recipe=recipe, device="cpu")


def flat(result: PackResult, k: int) -> np.ndarray:
    return np.concatenate([values.ravel() for values in result.pack.weights(k).values()])


@pytest.mark.parametrize("threads", ["1", "2"])
def test_alone_and_among_others_give_the_same_weights(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [PackItem(a, 100 + k) for k, a in enumerate(sampled_networks(7))]
    items.append(PackItem(network_of(dropout=0.4), 200))
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    together, back = trained(items), trained(items[::-1])
    for k in range(len(items)):
        alone = trained([items[k]])
        assert np.array_equal(flat(together, k), flat(alone, 0))
        assert np.array_equal(flat(back, len(items) - 1 - k), flat(alone, 0))
        assert together.outcomes[k].curves == alone.outcomes[0].curves


def test_the_seed_decides_the_weights_and_the_noise() -> None:
    noisy = network_of(dropout=0.4)
    result = trained([PackItem(noisy, 1), PackItem(noisy, 2), PackItem(noisy, 1)])
    assert np.array_equal(flat(result, 0), flat(result, 2))
    assert not np.allclose(flat(result, 0), flat(result, 1))


def test_a_network_that_diverges_or_cannot_be_built_fails_with_a_reason_and_its_neighbours_do_not_notice() -> None:
    healthy = [PackItem(a, k) for k, a in enumerate(sampled_networks(4, seed=5))]
    wild = PackItem(network_of(learning_rate=0.05), 5)
    wild = PackItem(Architecture(family="image", values={**wild.architecture.values, "learning_rate": 1e30}), 5)
    odd = PackItem(Architecture(family="image", values={**wild.architecture.values, "activation": "?"}), 6)
    clean, mixed = trained(healthy), trained([healthy[0], wild, odd, *healthy[1:]])
    for k in range(4):
        assert np.array_equal(flat(clean, k), flat(mixed, k if k == 0 else k + 2))
    assert [o.status for o in mixed.outcomes] == ["done", "failed", "failed", "done", "done", "done"]
    assert "loss became" in mixed.outcomes[1].reason
    assert "1e+30" in mixed.outcomes[1].reason
    assert mixed.outcomes[2].reason.startswith("KeyError")
    assert mixed.pack.weights(2) == {}
    assert np.isnan(mixed.pack.predict(image_problem().valid.E)[2]).all()


def test_a_stop_ends_the_training_within_a_step_and_keeps_what_is_finished() -> None:
    stop, asked = StopSignal(), []

    def ask(progress: PackProgress) -> None:
        if progress.seconds > 0.5 and not asked:
            asked.append(time.perf_counter())
            stop.set()

    items = [PackItem(a, k) for k, a in enumerate(sampled_networks(5))]
    result = train_pack(image_problem(), image_space(), items, recipe=ENDLESS, stop=stop, on_epoch=ask, device="cpu")
    assert time.perf_counter() - asked[0] < 1.0
    assert {o.status for o in result.outcomes} == {"cancelled"}
    epochs = [len(o.curves["valid_loss"]) for o in result.outcomes]
    assert [o.reason for o in result.outcomes] == [f"stopped after {n} epochs" for n in epochs]
    assert max(epochs) > 0
    assert min(epochs) == 0, "some were never begun"


def test_a_stop_asked_for_before_the_start_trains_nothing() -> None:
    stop = StopSignal()
    stop.set()
    result = train_pack(image_problem(), image_space(), [PackItem(network_of(), 0)], stop=stop, device="cpu")
    assert result.outcomes[0].status == "cancelled"
    assert result.outcomes[0].best_epoch == -1


def test_each_is_handed_over_while_others_train_and_closing_ends_them() -> None:
    begun = threading.active_count()
    long = [PackItem(a, k) for k, a in enumerate(sampled_networks(3))]
    items = [PackItem(Architecture(family="image", values={**network_of().values, "activation": "?"}), 0), *long]
    results = train_each(image_problem(), image_space(), items, recipe=ENDLESS, device="cpu")
    k, first = next(results)
    assert (k, first.outcomes[0].status) == (0, "failed")
    results.close()
    assert threading.active_count() == begun
    order = [k for k, _ in train_each(image_problem(), image_space(), long, recipe=QUICK, device="cpu")]
    assert sorted(order) == [0, 1, 2]


def test_it_is_silent_tells_its_progress_and_leaves_the_random_numbers_of_the_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    state, threads, told, names = torch.get_rng_state(), torch.get_num_threads(), [], set()

    def tell(progress: PackProgress) -> None:
        told.append(progress)
        names.add(threading.current_thread().name)

    items = [PackItem(a, 1) for a in sampled_networks(3)]
    result = train_pack(image_problem(), image_space(), items, recipe=QUICK, on_epoch=tell, device="cpu")
    assert [o.status for o in result.outcomes] == ["done"] * 3
    assert len(told) == 3 * QUICK.max_epochs
    assert [p.epoch for p in told] == sorted(p.epoch for p in told)
    assert (told[-1].epoch, told[-1].max_epochs, told[-1].candidates, told[-1].active) == (4, 4, 3, 0)
    assert names == {threading.current_thread().name}
    assert all(0 < o.seconds <= result.seconds for o in result.outcomes)
    assert os.listdir(tmp_path) == []
    assert torch.equal(state, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert capfd.readouterr() == ("", "")


def test_training_beats_guessing() -> None:
    recipe = Recipe(max_epochs=30, batch_size=16, patience=30, schedule="one_cycle")
    linear = network_of(landmark="linear model of the pixels", learning_rate=0.03)
    outcome = trained([PackItem(linear, 0)], recipe).outcomes[0]
    assert outcome.curves["valid_loss"][outcome.best_epoch] < 0.85 * outcome.curves["valid_loss"][0]


def test_patience_ends_a_training_early() -> None:
    recipe = Recipe(max_epochs=60, batch_size=16, patience=3, min_delta=0.5)
    losses = trained([PackItem(network_of(), 0)], recipe).outcomes[0].curves["valid_loss"]
    assert len(losses) < 60
    lowest, waited = float("inf"), 0
    for loss in losses:
        lowest, waited = (loss, 0) if loss < lowest - 0.5 else (lowest, waited + 1)
    assert waited == 3


def test_few_rows_keep_the_end_many_rows_the_lowest_loss() -> None:
    rng = np.random.default_rng(0)
    noise = [rng.exponential(size=4000) for _ in range(3)]
    worse = [0.1, 0.0, 0.1]
    many = [n * 0.01 + w for n, w in zip(noise, worse)]
    few = [n[:12] + w for n, w in zip(noise, worse)]
    assert kept_of(many) == 1
    assert kept_of(few) == 2


class Raising(nn.Module):
    """A network that breaks in its second epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.passes = nn.Linear(42, 3), 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += self.training
        if self.passes > 8:
            raise ValueError("worn out")
        return self.linear(x.flatten(1))


def test_a_network_that_raises_fails_alone() -> None:
    problem, device = image_problem(), torch.device("cpu")
    signal = problem.dataset.signal
    lesson = Lesson(SignalRows(problem.train, signal, device), SignalRows(problem.valid, signal, device),
                    problem.task, 0, QUICK)  # fmt: skip
    item = PackItem(network_of(), 0)
    trainings = [
        NetworkTraining(network, item, lesson) for network in (Raising(), nn.Sequential(nn.Flatten(), nn.Linear(42, 3)))
    ]
    told: list[int] = []
    fleet = SideBySide(trainings, StopSignal(), told.append, 1)
    from nas_core.training.module import fit_quietly

    fit_quietly(fleet, device, -1)
    assert [t.status for t in trainings] == ["failed", "done"]
    assert trainings[0].reason == "ValueError: worn out"
    assert told.count(1) == QUICK.max_epochs


def test_dropout_noise_is_that_of_the_network_alone() -> None:
    item, first, second = PackItem(network_of(), 4), Dropout(0.5), Dropout(0.5)
    from nas_core.spaces.layers import seed_dropout

    x = torch.ones(3, 8)
    seed_dropout(nn.Sequential(first, second), item.seed, torch.device("cpu"))
    one, other = first(x), second(x)
    torch.rand(5)
    seed_dropout(nn.Sequential(first, second), item.seed, torch.device("cpu"))
    assert torch.equal(first(x), one)
    assert not torch.equal(one, other)


def test_workers_are_the_cores_or_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = torch.device("cpu")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    cores = workers_on(cpu)
    assert 1 <= cores <= (os.cpu_count() or 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert workers_on(cpu) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "nonsense")
    assert workers_on(cpu) == cores
    assert workers_on(torch.device("cuda")) == 1


def test_tables_have_no_cycle(problem: object, space: object, variant: object) -> None:
    with pytest.raises(SettingsError, match=r"schedule 'one_cycle'.*Allowed: constant"):
        train_pack(problem, space, [PackItem(variant(), 0)], recipe=QUICK)
