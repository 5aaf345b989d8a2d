"""What can be done to a list of layers: random moves for mutation, single steps for neighbours and a person's edits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from nas_core.spaces.sequence.fitting import nearest_option
from nas_core.spaces.sequence.plan import layer_label
from nas_core.spaces.sequence.rules import Layer, SequenceRules
from nas_core.spaces.variables import Edit

__all__ = ["MOVES", "draw_layers", "steps"]

Layers = list[Layer]

_SCALES = {"width": "widths", "kernel": "kernels", "dilation": "dilations", "heads": "heads"}


def draw_layers(rules: SequenceRules, rng: np.random.Generator) -> Layers:
    """Return a random list: its length uniform, its layers of one kind in half of the cases, else of any."""
    depth = rules.layers.min_layers + int(rng.random() * (rules.max_layers - rules.layers.min_layers + 1))
    kinds = rules.kinds
    if not kinds:
        return []
    main = kinds[int(rng.random() * len(kinds))] if rng.random() < 0.5 else None
    return [_any_layer(rules, rng, main) for _ in range(depth)]


def _any_layer(rules: SequenceRules, rng: np.random.Generator, kind: str | None = None) -> Layer:
    """Return a random layer; without a kind all kinds are equally likely, however many settings each has."""
    chosen = kind or rules.kinds[int(rng.random() * len(rules.kinds))]
    options = [o for o in rules.options if o["kind"] == chosen]
    return dict(options[int(rng.random() * len(options))])


def _add(rules: SequenceRules, layers: Layers, rng: np.random.Generator) -> Layers | None:
    if len(layers) >= rules.max_layers or not rules.options:
        return None
    at = int(rng.random() * (len(layers) + 1))
    return [*layers[:at], _any_layer(rules, rng), *layers[at:]]


def _remove(rules: SequenceRules, layers: Layers, rng: np.random.Generator) -> Layers | None:
    if len(layers) <= rules.layers.min_layers:
        return None
    at = int(rng.random() * len(layers))
    return [*layers[:at], *layers[at + 1 :]]


def _replace(rules: SequenceRules, layers: Layers, rng: np.random.Generator) -> Layers | None:
    if not layers or not rules.options:
        return None
    at = int(rng.random() * len(layers))
    return [*layers[:at], _any_layer(rules, rng), *layers[at + 1 :]]


def _tune(rules: SequenceRules, layers: Layers, rng: np.random.Generator) -> Layers | None:
    """Return the layers with one number of one of them changed to an adjacent one."""
    if not layers:
        return None
    at = int(rng.random() * len(layers))
    near = [e[1] for e in _changes(rules, layers[at], False) if e[1]["kind"] == layers[at]["kind"]]
    return [*layers[:at], near[int(rng.random() * len(near))], *layers[at + 1 :]] if near else None


def _swap(rules: SequenceRules, layers: Layers, rng: np.random.Generator) -> Layers | None:
    if len(layers) < 2:
        return None
    at = int(rng.random() * (len(layers) - 1))
    return _swapped(layers, at)


MOVES: dict[str, Callable[[SequenceRules, Layers, np.random.Generator], Layers | None]] = {
    "add a layer": _add,
    "remove a layer": _remove,
    "replace a layer": _replace,
    "tune a layer": _tune,
    "swap two layers": _swap,
}


def steps(rules: SequenceRules, layers: Layers, thorough: bool) -> Iterator[Edit]:
    """Yield single changes; ``thorough`` goes through every other number and kind instead of the adjacent ones."""
    for at, layer in enumerate(layers):
        before, after = layers[:at], layers[at + 1 :]
        place = f"layer {at + 1}"
        yield Edit(place, "remove", layer_label(layer), [*before, *after])
        for words, changed in _changes(rules, layer, thorough):
            yield Edit(place, "change", words, [*before, changed, *after])
        if after and after[0] != layer:
            yield Edit(place, "rewire", f"after {layer_label(after[0])}", _swapped(layers, at))
    kinds = rules.kinds
    for at in range(len(layers) + 1):
        place = f"layer {at}" if at else "input"
        model = layers[at - 1] if at else (layers[0] if layers else {"width": rules.layers.widths[0]})
        for kind in kinds:
            layer = _of_kind(rules, model, kind)
            yield Edit(place, "add", f"{layer_label(layer)} after it", [*layers[:at], layer, *layers[at:]])


def _changes(rules: SequenceRules, layer: Layer, thorough: bool) -> Iterator[tuple[str, Layer]]:
    """Yield the layer with one thing changed, with words for it."""
    for name, field in _SCALES.items():
        if name not in layer or (name == "dilation" and layer["kernel"] == 1):
            continue
        known = getattr(rules.layers, field)
        at = known.index(layer[name]) if layer[name] in known else 0
        near = range(len(known)) if thorough else (at - 1, at + 1)
        for i in near:
            if 0 <= i < len(known) and known[i] != layer[name]:
                changed = {**layer, name: known[i]}
                if name == "kernel" and known[i] == 1:
                    changed["dilation"] = 1
                yield f"{name} {known[i]}", changed
    if "both" in layer and rules.layers.bidirectional:
        yield ("one way" if layer["both"] else "both ways"), {**layer, "both": not layer["both"]}
    for kind in rules.kinds:
        if kind != layer["kind"]:
            other = _of_kind(rules, layer, kind)
            yield layer_label(other), other


def _of_kind(rules: SequenceRules, model: Layer, kind: str) -> Layer:
    """Return the layer of another kind that is most like ``model``."""
    return nearest_option(rules, {**_PLAIN[kind], "kind": kind, "width": model["width"]})


_PLAIN: dict[str, Layer] = {
    "conv": {"kernel": 5, "dilation": 1},
    "gru": {"both": False},
    "lstm": {"both": False},
    "attention": {"heads": 1},
}


def _swapped(layers: Layers, at: int) -> Layers:
    return [*layers[:at], layers[at + 1], layers[at], *layers[at + 2 :]]
