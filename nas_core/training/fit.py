"""Train candidates: the door of this folder, for every family."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor

from nas_core.errors import SettingsError
from nas_core.spaces.tabular.layout import NetworkLayout, network_layout
from nas_core.training.bank import Bank
from nas_core.training.candidate import Candidate, Schedule, tuning_of
from nas_core.training.device import one_thread, pick_device
from nas_core.training.engine import PackEngine
from nas_core.training.inheritance import inherited_groups
from nas_core.training.module import OnEpoch, PackModule, fit_quietly
from nas_core.training.module_pack import ModulePack
from nas_core.training.network import pack_members
from nas_core.training.networks import train_networks
from nas_core.training.optimiser import OPTIMISERS
from nas_core.training.progress import (
    PackItem,
    PackProgress,
    Parent,
    StopSignal,
    TrainOutcome,
    Watch,
    with_performance,
)
from nas_core.training.result import PackResult
from nas_core.training.side_by_side import workers_on
from nas_core.training.trained import TrainedPack

if TYPE_CHECKING:
    from nas_core.data.problem import Part, Problem, Recipe
    from nas_core.spaces.space import SearchSpace

__all__ = [
    "ModulePack",
    "PackItem",
    "PackProgress",
    "PackResult",
    "Parent",
    "StopSignal",
    "TrainOutcome",
    "TrainedPack",
    "Watch",
    "train_each",
    "train_pack",
]


def train_pack(
    problem: Problem,
    space: SearchSpace,
    items: Sequence[PackItem],
    *,
    recipe: Recipe | None = None,
    stop: StopSignal | None = None,
    on_epoch: Callable[[PackProgress], None] | None = None,
    device: str = "auto",
    watch: Watch | None = None,
    workers: int | None = None,
    packed: bool | None = None,
) -> PackResult:
    """Train the candidates together, each exactly as if it were alone; may be called from any thread.

    On a processor they are trained some at a time, one on each core; networks of tables are one pack of batched
    products on an accelerator.

    Args:
        problem: Data and recipe.
        space: The space the architectures come from.
        items: The candidates with their seeds.
        recipe: Instead of the problem's.
        stop: Ends the training within a batch; what is unfinished is cancelled and keeps its best weights so far.
        on_epoch: Told how far they are from time to time, at the earliest after an epoch, from the calling thread.
        device: auto, cuda, mps or cpu.
        watch: Asked after every epoch of every candidate whether it goes on; one that it ends is ``halted``.
        workers: Networks of tables that are trained at the same time on a processor; None for one on each core.
        packed: Whether networks of tables are one pack; None for what the device does best.

    Raises:
        SettingsError: The device does not exist, the recipe does not suit the data, or rows are weighted for single
            candidates where that is not possible.
    """
    began, recipe, where = time.perf_counter(), recipe or problem.spec.recipe, pick_device(device)
    if space.signal is None:
        _check_schedule(recipe)
        _check_weights(items, len(problem.train))
        with one_thread():
            together = where.type != "cpu" if packed is None else packed
            train = _packed if together else partial(_each, workers or workers_on(where))
            return _train(train, problem, items, recipe, stop, on_epoch, where, watch)
    _check_weights(items, 0)
    found = dict(train_networks(problem, space, items, recipe, stop or StopSignal(), on_epoch, where, watch))
    assert problem.dataset.signal is not None
    networks = [network for k in range(len(items)) for network in cast(ModulePack, found[k].pack).networks]
    pack = ModulePack(networks, problem.dataset.signal, problem.C, where)
    outcomes = [found[k].outcomes[0] for k in range(len(items))]
    return PackResult(outcomes, pack, time.perf_counter() - began)


def train_each(
    problem: Problem,
    space: SearchSpace,
    items: Sequence[PackItem],
    *,
    recipe: Recipe | None = None,
    stop: StopSignal | None = None,
    on_epoch: Callable[[PackProgress], None] | None = None,
    device: str = "auto",
    watch: Watch | None = None,
) -> Generator[tuple[int, PackResult], None, None]:
    """Yield the number and the result of every item of a space of images or sequences as soon as it has finished.

    The others are trained meanwhile, in other threads; closing the iterator ends that. Arguments as in
    :func:`train_pack`, whose results these are, one network each.
    """
    recipe, where = recipe or problem.spec.recipe, pick_device(device)
    yield from train_networks(problem, space, items, recipe, stop or StopSignal(), on_epoch, where, watch)


def _check_schedule(recipe: Recipe) -> None:
    if recipe.schedule != "constant":
        raise SettingsError(
            f"The networks of tables are not trained with the schedule {recipe.schedule!r}",
            allowed="constant",
            fix="use Recipe.for_rows",
        )


def _check_weights(items: Sequence[PackItem], rows: int) -> None:
    """Check the row weights of single candidates; there can be none where ``rows`` is 0."""
    for item in items:
        if item.row_weights is not None and item.row_weights.shape != (rows,):
            raise SettingsError(
                f"A candidate weights training rows by an array of the shape {item.row_weights.shape}",
                allowed=f"({rows},), one number for each training row" if rows else "none for images and sequences",
                fix="weight the rows of problem.train" if rows else "leave row_weights out",
            )


def _train(
    train: Train,
    problem: Problem,
    items: Sequence[PackItem],
    recipe: Recipe,
    stop: StopSignal | None,
    on_epoch: Callable[[PackProgress], None] | None,
    where: torch.device,
    watch: Watch | None,
) -> PackResult:
    began = time.perf_counter()
    layouts = [network_layout(item.architecture, problem.encoder, problem.C) for item in items]
    order = sorted(range(len(items)), key=lambda k: OPTIMISERS.index(items[k].architecture.values["optimiser"]))
    candidates = [_candidate(problem, items[k], layouts[k]) for k in order]
    schedule = _schedule(problem, recipe)
    flat, stats, cancelled = train(problem, candidates, schedule, stop or StopSignal(), on_epoch, where, watch)
    seconds = time.perf_counter() - began
    pack = TrainedPack([c.layout for c in candidates], flat, stats, order, problem.encoder.D, where)
    return PackResult(_outcomes(candidates, order, cancelled, seconds), pack, seconds)


Trained = tuple[Tensor, Tensor, bool]
"""Flat parameters and running statistics of all candidates, and whether a stop was heard."""
Train = Callable[..., Trained]


def _each(
    workers: int,
    problem: Problem, candidates: list[Candidate], schedule: Schedule, stop: StopSignal, on_epoch: OnEpoch | None,
    where: torch.device, watch: Watch | None,
) -> Trained:  # fmt: skip
    """Train each candidate by itself, by compiled kernels."""
    # numba takes a while to import, and who trains on an accelerator does not need it
    from nas_core.training.compiled.table_lesson import Rows, TableLesson
    from nas_core.training.compiled.tables_training import train_tables

    lesson = TableLesson(schedule, Rows.of(problem.train), Rows.of(problem.valid), watch)
    trained = train_tables(candidates, lesson, stop, on_epoch, workers)
    members = pack_members([c.layout for c in candidates], [c.seed for c in candidates])
    flat = torch.zeros(sum(m.run for m in members))
    for member, own in zip(members, trained, strict=True):
        flat[member.start : member.start + member.layout.size] = torch.from_numpy(own.best)
    stats = torch.cat([torch.from_numpy(own.best_stats) for own in trained])
    return flat, stats, any(own.cancelled for own in trained)


def _packed(
    problem: Problem, candidates: list[Candidate], schedule: Schedule, stop: StopSignal, on_epoch: OnEpoch | None,
    where: torch.device, watch: Watch | None,
) -> Trained:  # fmt: skip
    """Train all candidates together."""
    # no autograd anywhere in a pack: the gradients are written out
    with torch.inference_mode():
        engine = PackEngine(candidates, schedule, _part(problem.train, where), _part(problem.valid, where), watch)
    module = PackModule(engine, stop, on_epoch)
    fit_quietly(module, where, schedule.max_epochs)
    module.let_go()
    return engine.best.cpu(), engine.best_stats.cpu(), module.cancelled


def _candidate(problem: Problem, item: PackItem, layout: NetworkLayout) -> Candidate:
    parent, values = inherited_groups(layout, item.parents, problem.encoder)
    tuning = tuning_of(item.architecture, layout)
    return Candidate(layout, item.seed, tuning, item.architecture.id, parent, values, item.row_weights)


def _schedule(problem: Problem, recipe: Recipe) -> Schedule:
    return Schedule(
        problem.task, problem.C, problem.spec.split_seed, recipe.batch_size, recipe.max_epochs, recipe.patience,
        recipe.min_delta,
    )  # fmt: skip


def _part(part: Part, device: torch.device) -> tuple[Bank, torch.Tensor, torch.Tensor | None]:
    kind = np.int64 if np.issubdtype(part.y.dtype, np.integer) else np.float32
    weights = None if part.weights is None else torch.from_numpy(part.weights).to(device)
    return Bank(part.E, device), torch.from_numpy(part.y.astype(kind)).to(device), weights


def _outcomes(candidates: list[Candidate], order: list[int], cancelled: bool, seconds: float) -> list[TrainOutcome]:
    """Return the outcomes in the order of the items."""
    total = max(1, sum(len(c.valid_loss) for c in candidates))
    outcomes = {}
    for k, c in zip(order, candidates, strict=True):
        status, reason = "done", ""
        if c.reason:
            status, reason = "failed", c.reason
        elif c.halt is not None:
            status, reason = "halted", c.halt.reason
        elif cancelled and c.active:
            status, reason = "cancelled", f"stopped after {len(c.valid_loss)} epochs"
        curves = with_performance({"train_loss": c.train_loss, "valid_loss": c.valid_loss}, c.performance)
        start = None if np.isnan(c.start) and not c.valid_loss else c.start  # stopped before it began
        kept = c.best if c.best_epoch >= 0 else start
        own = c.seconds or seconds * len(c.valid_loss) / total
        outcomes[k] = TrainOutcome(
            status, reason, curves, c.best_epoch, own, start, kept, c.halt, c.inherited,
        )  # fmt: skip
    return [outcomes[k] for k in range(len(candidates))]
