"""Sequence networks as source text: series of numbers, and texts with their vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from nas_core.exports.pieces import rows as row_pieces
from nas_core.exports.pieces import steps as pieces
from nas_core.exports.source_maps import keep, layer_text, network_class
from nas_core.exports.source_tables import ACTIVATIONS
from nas_core.exports.writing import Written, literal, numbers

if TYPE_CHECKING:
    from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = ["write_steps"]


def write_steps(candidate: SignalCandidate) -> Written:
    """Write a network of convolutions, recurrent and attention layers with what makes its input from raw sequences."""
    signal, encoder = candidate.signal, candidate.problem.signal_encoder
    channels, length = signal.shape
    if signal.vocabulary:
        written = Written(
            constants=[("LENGTH", str(length)), ("WORDS", _words(signal.words))],
            rows="text_rows(rows, WORDS, LENGTH)",
            input=f"words: (N, {length}) int64 ids; 0 = padding at the end, 1 = a word that is not known",
            forward=["columns = rows"],
        )
        written.need(row_pieces.words_of, row_pieces.text_rows)
    else:
        mean, sd = (numbers(v.astype("float32")) for v in (encoder.mean, encoder.sd))
        ends = ", NaN after its end" if signal.padded else ""
        written = Written(
            constants=[("SHAPE", literal(list(signal.shape)))],
            rows="series_rows(rows, SHAPE)",
            input=f"series: (N, {channels}, {length}) float32, values as in the data{ends}",
            reading=[f"self.series = Series({mean}, {sd}, padded={signal.padded})"],
            forward=["columns = self.series(rows)"],
        )
        written.need(row_pieces.series_rows, pieces.Series)
    _network(candidate, written)
    return written


def _words(words: tuple[str, ...]) -> str:
    """Return the vocabulary as a literal, eight words a line."""
    lines = [", ".join(map(repr, words[at : at + 8])) for at in range(0, len(words), 8)]
    return "[\n" + "".join(f"    {line},\n" for line in lines) + "]"


def _network(candidate: SignalCandidate, written: Written) -> None:
    module: Any = candidate.module
    padded, there = module.padded, "present" if module.padded else ""
    made, steps = _reading(candidate, written)
    for at, layer in enumerate(module.stack, start=1):
        name = f"layer{at}"
        text, step = _mixer(layer.mixer, name, there, written)
        made.append(f"self.{name} = {text}")
        keep(written, name, _state(layer.mixer))
        if layer.norm is not None:
            made.append(f"self.norm{at} = {_norm(layer.norm, written)}")
            keep(written, f"norm{at}", _norm_state(layer.norm))
            step = f"self.norm{at}({step})"
        if layer.activation is not None:
            step = ACTIVATIONS[type(layer.activation).__name__.lower()].format(step)
        step = f"({step}) * present" if padded else step
        steps.append(f"maps = maps + {step}" if layer.residual else f"maps = {step}")
    pooled = _pooling(module, written, made)
    made.append(f"self.readout = {layer_text(module.readout)}")
    keep(written, "readout", module.readout.state_dict())
    steps.append(f"return self.readout({pooled})")
    written.classes.append(network_class(made, steps, "Layers over steps, pooling, a readout."))


def _reading(candidate: SignalCandidate, written: Written) -> tuple[list[str], list[str]]:
    """Return the lines that make the first maps, and what says where there is a step."""
    module: Any = candidate.module
    if module.embedding is None:
        if not module.padded:
            return [], ["maps = x"]
        channels = module.channels
        return [], [f"maps, present = x[:, :{channels}], x[:, {channels}:]", "maps = maps * present"]
    table = module.embedding.table
    keep(written, "embedding", table.state_dict())
    steps = ["maps = self.embedding(x).transpose(1, 2)  # a vector for each word"]
    if module.padded:
        steps += ["present = (x != 0)[:, None].float()", "maps = maps * present"]
    return [f"self.embedding = nn.Embedding({table.num_embeddings}, {table.embedding_dim})"], steps


def _mixer(mixer: Any, name: str, there: str, written: Written) -> tuple[str, str]:
    """Return what makes a layer, and what calls it on the maps."""
    from nas_core.spaces.sequence.blocks import Convolution, Recurrent

    arguments = f"maps, {there}" if there else "maps"
    if isinstance(mixer, Convolution):
        return layer_text(mixer.conv), f"self.{name}(maps)"
    if isinstance(mixer, Recurrent):
        written.need(pieces.ends_of, pieces.Recurrent)
        cell, both = mixer.forwards, mixer.backwards is not None
        text = f"Recurrent(nn.{type(cell).__name__}, {cell.input_size}, {cell.hidden_size}, both={both})"
        return text, f"self.{name}({arguments})"
    written.need(pieces.SelfAttention)
    attention = cast(Any, mixer)
    inputs, width, bias = attention.value.in_features, attention.value.out_features, attention.out.bias is not None
    return f"SelfAttention({inputs}, {width}, {attention.heads}, bias={bias})", f"self.{name}({arguments})"


def _state(mixer: Any) -> dict[str, Any]:
    from nas_core.spaces.sequence.blocks import Convolution

    return dict((mixer.conv if isinstance(mixer, Convolution) else mixer).state_dict())


def _norm(norm: Any, written: Written) -> str:
    from nas_core.spaces.sequence.blocks import StepNorm

    if isinstance(norm, StepNorm):
        return f"nn.BatchNorm1d({norm.weight.numel()})"
    written.need(pieces.ChannelNorm)
    return f"ChannelNorm({norm.norm.normalized_shape[0]})"


def _norm_state(norm: Any) -> dict[str, Any]:
    import torch

    from nas_core.spaces.sequence.blocks import StepNorm

    state = dict(norm.state_dict())
    return {**state, "num_batches_tracked": torch.tensor(0)} if isinstance(norm, StepNorm) else state


def _pooling(module: Any, written: Written, made: list[str]) -> str:
    """Return what makes one vector of the maps."""
    name, padded = module.pooling, module.padded
    if name == "attention":
        written.need(pieces.WeightedMean)
        made.append(f"self.pool = WeightedMean({module.pool.attention.score.in_features})")
        keep(written, "pool", module.pool.attention.state_dict())
        return f"self.pool(maps{', present' if padded else ''})"
    if name == "sum":
        return f"maps.sum(dim=-1) / {module.pool.length}"
    if name == "flat":
        return "maps.flatten(1)"
    if not padded:
        return {"mean": "maps.mean(dim=-1)", "max": "maps.amax(dim=-1)", "last": "maps[..., -1]"}[name]
    if name == "mean":
        return "maps.sum(dim=-1) / present.sum(dim=-1).clamp(min=1)"
    if name == "max":
        written.need(pieces.largest_of)
        return "largest_of(maps, present)"
    written.need(pieces.ends_of, pieces.last_of)
    return "last_of(maps, present)"
