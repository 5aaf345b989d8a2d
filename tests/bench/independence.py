"""Whether nothing that one candidate does reaches another: its weights alone, in many packs, and by the slow twin.

    python tests/bench/independence.py [--family NAME …] [--device cuda] [--candidates 16] [--epochs 8] [--json]

Random candidates of every preset of every family, with every optimiser, weight decay, dropout, normalisation and early
stops among them. Each is trained alone, in packs of several sizes whose company is shuffled, forth and back, and beside
candidates that diverge. A deviation is ‖own − other‖ / ‖other‖ of all numbers of a network, the largest of all.

``packs`` is the deviation from the candidate alone; ``disturbed`` counts those that a diverging neighbour changed in a
single bit. ``twin`` is the deviation from a plain loop with ``torch.optim`` and autograd (``tests/training``), on the
processor; ``rounding`` is what rounding alone does to a candidate in so many steps, whoever computes it: how far that
loop is from itself in double precision, or with its first weights changed in their last bit; it is looked at only where
a candidate is further from the loop than is allowed. ``unlike`` counts those that are further than 30 times that, too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "training"))

from network_twin import train_network_alone
from slow_twin import train_alone

from nas_core import Problem, SearchSpace, SpaceError, load_data
from nas_core.data import Recipe
from nas_core.data.arrays import signal_dataset
from nas_core.data.signal import image_signal, sequence_signal
from nas_core.records import Architecture
from nas_core.spaces import facts, family_named, family_names
from nas_core.training.device import one_thread, pick_device
from nas_core.training.fit import PackItem, PackResult, train_each, train_pack

ALLOWED = {"cpu": 1e-5, "cuda": 1e-3, "mps": 1e-3}
OPTIMISERS = ("sgd", "adam", "adamw", "adagrad")
TITLES = (
    "family    preset         cand. drop. bn early     packs   median disturbed      twin   median  rounding unlike"
)
SIZES, TIMES, NUDGES = (2, 3, 7), 30, 12
Numbers = dict[str, np.ndarray]
MOST = {"image": 400_000, "sequence": 100_000, "cell": 3_000_000}
"""Operations of a network at most, so that a laptop is done in minutes."""


@dataclass(frozen=True)
class Found:
    """What was found of one preset of a family; deviations are relative, the largest and the median over candidates."""

    family: str
    preset: str
    data: str
    device: str
    candidates: int
    dropout: int
    batch_norm: int
    stopped_early: int
    packs: float
    packs_median: float
    disturbed: int
    twin: float
    twin_median: float
    rounding: float
    unlike: int

    @property
    def exact(self) -> bool:
        """Whether no pack moved a candidate by more than is allowed, none was disturbed, and all are like the twin."""
        return self.packs <= ALLOWED[self.device] and not self.disturbed and not self.unlike


def problem_for(modality: str, rows: int = 240) -> Problem:
    """Return a small problem: a built-in table, or images of 8 × 8 pixels or sequences of 12 steps with a signal."""
    if modality == "tabular":
        recipe = Recipe(max_epochs=8, batch_size=64, patience=2, min_delta=1e-4)
        return Problem.create(load_data("breast_cancer"), recipe=recipe)
    signal = image_signal(1, 8, 8) if modality == "image" else sequence_signal(2, 12)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, int(np.prod(signal.shape)))).astype(np.float32)
    half = X.shape[1] // 2
    y = np.digitize(X[:, :half].mean(1) - X[:, half:].mean(1), (-0.1, 0.1))
    recipe = Recipe(max_epochs=8, batch_size=32, patience=3, min_delta=0.0, schedule="one_cycle")
    data = signal_dataset(X, y, signal, name=f"made {modality}s", classes=("a", "b", "c"))
    return Problem.create(data, recipe=recipe)


def drawn(
    problem: Problem, space: SearchSpace, count: int, *, seed: int = 0, most: float | None = None
) -> list[PackItem]:
    """Return random candidates that have all optimisers in turn, with and without weight decay, and dropout."""
    rng, found = np.random.default_rng(seed), dict[str, PackItem]()
    most = MOST.get(space.family, float("inf")) if most is None else most
    while len(found) < count:
        n, values = len(found), space.sample(rng, problem.hints).values
        change = {"optimiser": OPTIMISERS[n % 4], "weight_decay": (0.003, 0.0)[n // 4 % 2]}
        if n % 3 == 0 and "dropout" in values:
            change["dropout"] = 0.3
        try:
            architecture = space.architecture({**values, **change})
        except SpaceError:  # a linear network has no dropout
            continue
        if facts(space, architecture).operations <= most:
            found[architecture.id] = PackItem(architecture, 100 + n)
    return list(found.values())


def compared(
    problem: Problem, space: SearchSpace, items: Sequence[PackItem], preset: str, *, device: str = "cpu",
    recipe: Recipe | None = None, sizes: Sequence[int] = SIZES,
) -> Found:  # fmt: skip
    """Train the candidates in all ways and return how far apart their weights are."""
    recipe, where = recipe or problem.spec.recipe, pick_device(device).type

    def trained(chosen: Sequence[PackItem]) -> PackResult:
        return train_pack(problem, space, chosen, recipe=recipe, device=device)

    alone = [trained([item]) for item in items]
    own = [numbers(result, 0) for result in alone]
    apart = [
        [deviation(weights, own[k]) for k, weights in packed.items()]
        for packed in in_packs(problem, space, items, recipe, device, sizes)
    ]
    beside = trained(items)
    twins = [twin_weights(problem, space, item, recipe) for item in items]
    off = [deviation(weights, twin) for weights, twin in zip(own, twins, strict=True)]
    rounding = [
        rounded(problem, space, item, recipe, twin, d) if d > ALLOWED[where] else 0.0
        for item, twin, d in zip(items, twins, off, strict=True)
    ]
    outcomes = [result.outcomes[0] for result in alone]
    return Found(
        family=space.family, preset=preset, data=problem.dataset.name, device=where, candidates=len(items),
        dropout=sum(item.architecture.values.get("dropout", 0) > 0 for item in items),
        batch_norm=sum(any("running_mean" in name for name in result.pack.weights(0)) for result in alone),
        stopped_early=sum(len(o.curves["valid_loss"]) < recipe.max_epochs for o in outcomes),
        packs=max(map(max, apart)), packs_median=statistics.median(d for way in apart for d in way),
        disturbed=disturbed(items, beside, trained),
        twin=max(off), twin_median=statistics.median(off), rounding=max(rounding),
        unlike=sum(d > max(ALLOWED[where], TIMES * r) for d, r in zip(off, rounding, strict=True)),
    )  # fmt: skip


def in_packs(
    problem: Problem, space: SearchSpace, items: Sequence[PackItem], recipe: Recipe, device: str, sizes: Sequence[int]
) -> list[dict[int, Numbers]]:
    """Return the weights by number of candidate from each way of dividing them into packs."""
    ways = [[np.arange(len(items))], [np.arange(len(items))[::-1]]]
    for size in sizes:
        order = np.random.default_rng(size).permutation(len(items))
        ways.append([order[start : start + size] for start in range(0, len(items), size)])
    found = []
    for way in ways:
        weights: dict[int, Numbers] = {}
        for part in way:
            result = train_pack(problem, space, [items[k] for k in part], recipe=recipe, device=device)
            weights |= {int(k): numbers(result, n) for n, k in enumerate(part)}
        found.append(weights)
    if space.signal is not None:
        each = train_each(problem, space, items, recipe=recipe, device=device)
        found.append({k: numbers(result, 0) for k, result in each})
    return found


def disturbed(
    items: Sequence[PackItem], beside: PackResult, trained: Callable[[Sequence[PackItem]], PackResult]
) -> int:
    """Return how many candidates are not the same, bit by bit, when some beside them diverge.

    Raises:
        RuntimeError: None of them diverged.
    """
    wild = [
        PackItem(
            Architecture(
                family=item.architecture.family,
                values={**item.architecture.values, "optimiser": "sgd", "learning_rate": 1e30},
            ),
            item.seed + 1,
        )
        for item in items[:3]
    ]
    half = len(items) // 2
    mixed = trained([*items[:half], *wild, *items[half:]])
    if not any(outcome.status == "failed" for outcome in mixed.outcomes[half : half + 3]):
        raise RuntimeError("no candidate diverged at a learning rate of 1e30")
    places = [k if k < half else k + 3 for k in range(len(items))]
    return sum(not same(numbers(beside, k), numbers(mixed, at)) for k, at in enumerate(places))


def twin_weights(
    problem: Problem,
    space: SearchSpace,
    item: PackItem,
    recipe: Recipe,
    prepare: Callable[[torch.nn.Module], object] = lambda network: None,
) -> Numbers:
    """Return the weights that the slow twin ends with, trained on the processor from a network as it was prepared."""
    with one_thread():
        if space.signal is None:
            module: torch.nn.Module = train_alone(problem, item.architecture, item.seed, recipe, prepare).module
        else:
            module = train_network_alone(problem, space, item, recipe, prepare).network
    return {name: values.numpy() for name, values in module.state_dict().items() if values.is_floating_point()}


def rounded(problem: Problem, space: SearchSpace, item: PackItem, recipe: Recipe, twin: Numbers, apart: float) -> float:
    """Return how far rounding moves the twin, tried in some ways until it is of the order of ``apart``.

    Most of them change nothing to speak of; one that moves the input of a ReLU across 0 does, and is soon amplified.
    """
    largest = 0.0
    for way in (torch.nn.Module.double, *(partial(nudge, seed=seed) for seed in range(NUDGES))):
        largest = max(largest, deviation(twin_weights(problem, space, item, recipe, way), twin))
        if apart <= TIMES * largest:
            break
    return largest


def nudge(network: torch.nn.Module, seed: int) -> None:
    """Change every weight of a network by about its last bit, up or down."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weights in network.parameters():
            weights.mul_(1 + 2**-23 * (2 * torch.randint(2, weights.shape, generator=generator) - 1))


def numbers(result: PackResult, k: int) -> Numbers:
    """Return all numbers of a candidate by name, statistics of normalisation included, counters not."""
    return {name: values for name, values in result.pack.weights(k).items() if values.dtype.kind == "f"}


def same(one: Numbers, two: Numbers) -> bool:
    """Return whether two candidates are the same, bit by bit."""
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name], equal_nan=True) for name in one)


def deviation(one: Numbers, two: Numbers) -> float:
    """Return ‖one − two‖ / ‖two‖; infinity where one of them is not finite and the other is."""
    if same(one, two):
        return 0.0
    own, other = (np.concatenate([found[name].ravel() for name in two]).astype(np.float64) for found in (one, two))
    if not (np.isfinite(own).all() and np.isfinite(other).all()):
        return float("inf")
    return float(np.linalg.norm(own - other) / np.linalg.norm(other))


def line(row: Found) -> str:
    """Return a row of the table."""
    named = f"{row.family:9} {row.preset:14} {row.candidates:5} {row.dropout:5} {row.batch_norm:2} "
    packs = f"{row.stopped_early:5} {row.packs:9.1e} {row.packs_median:8.1e} {row.disturbed:9} "
    return f"{named}{packs}{row.twin:9.1e} {row.twin_median:8.1e} {row.rounding:9.1e} {row.unlike:6}"


def main() -> None:
    """Compare every preset of the families, print a line for each, and fail where one is not exact."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", nargs="*", default=list(family_names()))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda", "mps"))
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = []
    if not options.json:
        print(TITLES)
    for name in options.family:
        problem = problem_for(family_named(name).modality)
        recipe = problem.spec.recipe.model_copy(update={"max_epochs": options.epochs})
        for preset in family_named(name).presets:
            space = SearchSpace.for_problem(problem, preset, name)
            items = drawn(problem, space, options.candidates)
            found.append(compared(problem, space, items, preset, device=options.device, recipe=recipe))
            if not options.json:
                print(line(found[-1]), flush=True)
    if options.json:
        print(json.dumps({"allowed": ALLOWED[options.device], "rows": [asdict(row) for row in found]}, indent=1))
    if wrong := [f"{row.family} {row.preset}" for row in found if not row.exact]:
        raise SystemExit(f"not independent: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
