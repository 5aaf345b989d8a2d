"""The door: threads, stopping, progress, schedule, silence."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
import torch
from training_samples import SHORT, Variant, sampled

from nas_core.data import Problem, Recipe
from nas_core.errors import SettingsError
from nas_core.spaces import SearchSpace
from nas_core.training.batches import batch_slices, epoch_order
from nas_core.training.device import pick_device
from nas_core.training.fit import PackItem, StopSignal, train_pack
from nas_core.training.progress import PackProgress
from nas_core.training.side_by_side import workers_on

ENDLESS = Recipe(max_epochs=10_000, batch_size=64, patience=10_000, min_delta=0.0)


def test_a_stop_ends_the_training_within_a_tenth_of_a_second(
    problem: Problem, space: SearchSpace, variant: Variant, packed: bool
) -> None:
    stop, asked = StopSignal(), []
    enough = 3 if packed else ENDLESS.max_epochs // 2 + 3  # a mean, in which the one that fails counts in full

    def ask(progress: PackProgress) -> None:
        if progress.epoch >= enough and not asked:
            asked.append(time.perf_counter())
            stop.set()

    items = [PackItem(variant(), 0), PackItem(variant(learning_rate=1e30, optimiser="sgd"), 1)]
    result = train_pack(problem, space, items, recipe=ENDLESS, stop=stop, on_epoch=ask, packed=packed)
    assert time.perf_counter() - asked[0] < 0.5  # 0.1 on an idle machine
    assert [o.status for o in result.outcomes] == ["cancelled", "failed"]
    epochs = len(result.outcomes[0].curves["valid_loss"])
    assert 3 <= epochs < ENDLESS.max_epochs
    assert result.outcomes[0].reason == f"stopped after {epochs} epochs"


def test_a_stop_asked_for_before_the_start_trains_nothing(
    problem: Problem, space: SearchSpace, variant: Variant
) -> None:
    stop = StopSignal()
    stop.set()
    result = train_pack(problem, space, [PackItem(variant(), 0)], recipe=ENDLESS, stop=stop)
    assert result.outcomes[0].status == "cancelled"
    assert result.outcomes[0].best_epoch == -1


def test_it_runs_in_any_thread_silently_and_leaves_nothing_behind(
    problem: Problem,
    space: SearchSpace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    generator, threads = torch.get_rng_state(), torch.get_num_threads()
    items, results, seen = [PackItem(a, 1) for a in sampled(space, 4)], [], []

    def work() -> None:
        results.append(train_pack(problem, space, items, recipe=SHORT, on_epoch=seen.append))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [o.status for o in results[0].outcomes] == ["done"] * 4
    assert [p.epoch for p in seen] == sorted(p.epoch for p in seen)
    assert seen[-1].max_epochs == SHORT.max_epochs
    assert seen[0].candidates == 4
    assert os.listdir(tmp_path) == []
    assert torch.equal(generator, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert capfd.readouterr() == ("", "")


def test_early_stopping_keeps_the_best_epoch(problem: Problem, space: SearchSpace, variant: Variant) -> None:
    recipe = Recipe(max_epochs=60, batch_size=64, patience=3, min_delta=0.0)
    result = train_pack(problem, space, [PackItem(variant(learning_rate=0.05), 2)], recipe=recipe)
    outcome = result.outcomes[0]
    losses = outcome.curves["valid_loss"]
    assert len(losses) == outcome.best_epoch + 1 + 3
    assert losses[outcome.best_epoch] == min(losses)


def test_training_beats_guessing(problem: Problem, space: SearchSpace) -> None:
    result = train_pack(problem, space, [PackItem(a, k) for k, a in enumerate(sampled(space, 16, seed=9))])
    improved = [o.curves["valid_loss"][o.best_epoch] < 0.6 for o in result.outcomes if o.status == "done"]
    assert sum(improved) >= 8


def test_seconds_of_a_pack_are_shared_out_by_epochs(problem: Problem, space: SearchSpace) -> None:
    items = [PackItem(a, k) for k, a in enumerate(sampled(space, 6))]
    result = train_pack(problem, space, items, recipe=SHORT, packed=True)
    assert sum(o.seconds for o in result.outcomes) == pytest.approx(result.seconds)


def test_seconds_are_a_candidates_own(problem: Problem, space: SearchSpace) -> None:
    result = train_pack(problem, space, [PackItem(a, k) for k, a in enumerate(sampled(space, 6))], recipe=SHORT)
    each, workers = [o.seconds for o in result.outcomes], workers_on(torch.device("cpu"))
    assert all(seconds > 0 for seconds in each)
    assert sum(each) <= workers * result.seconds


@pytest.mark.parametrize(("rows", "size", "lengths"), [(10, 4, [4, 4, 2]), (9, 4, [4, 5]), (3, 8, [3]), (1, 8, [1])])
def test_no_row_is_dropped_and_no_batch_has_one_row_if_that_can_be_helped(
    rows: int, size: int, lengths: list[int]
) -> None:
    slices = batch_slices(rows, size)
    assert [s.stop - s.start for s in slices] == lengths
    assert slices[0].start == 0
    assert slices[-1].stop == rows


def test_every_epoch_has_its_own_order() -> None:
    first, second = epoch_order(3, 0, 50), epoch_order(3, 1, 50)
    assert sorted(first.tolist()) == list(range(50))
    assert not torch.equal(first, second)
    assert torch.equal(first, epoch_order(3, 0, 50))


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"device 'tpu' is not available.*Allowed: auto, .*cpu"):
        pick_device("tpu")
    assert pick_device().type in {"cuda", "mps", "cpu"}
