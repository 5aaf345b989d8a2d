"""The torch network of a sequence architecture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nas_core.spaces.layers import SignalNetwork
from nas_core.spaces.sequence.blocks import Embedding, SequenceLayer, WeightedMean, lengths_of
from nas_core.spaces.sequence.plan import keeps_width
from nas_core.spaces.sequence.rules import SequenceRules, output_width

__all__ = ["Pooling", "SequenceNetwork"]

Values = dict[str, Any]

_TOLD = ("last", "max", "attention")
"""Poolings that must know where a padded sequence ends."""


class Pooling(nn.Module):
    """Makes one vector of the maps (n, F, steps).

    Args:
        name: One of the family's poolings.
        width: F.
        length: Steps of the longest sequence, what ``sum`` divides by.
        told: Whether one more map, the last, says where there is a step.
    """

    def __init__(self, name: str, width: int, length: int, *, told: bool) -> None:
        super().__init__()
        self.name, self.length, self.told = name, length, told
        self.attention = WeightedMean(width) if name == "attention" else None

    def forward(self, maps: Tensor) -> Tensor:
        """Return (n, F), or (n, F · steps) for ``flat``."""
        maps, present = (maps[:, :-1], maps[:, -1:]) if self.told else (maps, None)
        if self.attention is not None:
            pooled: Tensor = self.attention(maps, present)
            return pooled
        if self.name == "mean":
            return maps.mean(-1)
        if self.name == "sum":
            return maps.sum(-1) / self.length
        if self.name == "flat":
            return maps.flatten(1)
        return _largest(maps, present) if self.name == "max" else _last(maps, present)

    def extra_repr(self) -> str:
        """Return the name."""
        return self.name


class SequenceNetwork(SignalNetwork):
    """Layers over steps, pooling, a linear readout.

    Where sequences are padded the maps say so: those of the mean are larger by the share of steps that are there, so
    that their plain mean is that of these steps; for ``last``, ``max`` and ``attention`` one more map, the last, is 1
    where there is a step.

    Attributes:
        visible: Names of the submodules whose outputs are attention weights: (n, heads, steps, steps) in a layer, for
            each step the weights of all; (n, steps) in the pooling.
    """

    def __init__(self, rules: SequenceRules, values: Values) -> None:
        super().__init__()
        self.channels, self.padded, self.pooling = rules.channels, rules.padded, str(values["pooling"])
        embedding = values.get("embedding", 0)
        self.embedding = Embedding(rules.vocabulary, embedding) if rules.vocabulary else None
        width, built = rules.inputs(embedding), []
        for layer, keeps in zip(values["layers"], keeps_width(rules, values["layers"], embedding)):
            built.append(
                SequenceLayer(
                    layer, width, activation=values["activation"], normalisation=values["normalisation"],
                    dropout=values["dropout"], residual=keeps and values["connections"] == "residual",
                )
            )  # fmt: skip
            width = output_width(layer)
        self.stack = nn.ModuleList(built)
        self.pool = Pooling(self.pooling, width, rules.length, told=self.padded and self.pooling in _TOLD)
        self.readout = nn.Linear(width * (rules.length if self.pooling == "flat" else 1), rules.outputs)
        self.layers = (*(("embedding",) if self.embedding else ()), *(f"stack.{i}" for i in range(len(built))))
        self.visible = tuple(name for name, _ in self.named_modules() if name.endswith(".weights"))

    def features(self, x: Tensor) -> Tensor:
        """Return the maps (n, F, steps) of series or word ids; see the class about padding."""
        present = self.present(x)
        maps = x[:, : self.channels] if self.embedding is None else self.embedding(x)
        if present is not None:
            maps = maps * present
        for layer in self.stack:
            maps = layer(maps, present)
        if present is None:
            return maps
        if self.pool.told:
            return torch.cat([maps, present], dim=1)
        if self.pooling == "mean":
            return maps * (x.shape[-1] / present.sum(-1, keepdim=True).clamp(min=1))
        return maps

    def head(self, maps: Tensor) -> Tensor:
        """Return the outputs (n, C)."""
        outputs: Tensor = self.readout(self.pool(maps))
        return outputs

    @property
    def map_weights(self) -> Tensor | None:
        """(C, F), where the maps are averaged or summed over the steps."""
        return self.readout.weight if self.pooling in ("mean", "sum") else None

    def attention_weights(self, x: Tensor) -> dict[str, Tensor]:
        """Return the attention weights for x by the name of the submodule (see ``visible``), detached."""
        found: dict[str, Tensor] = {}
        hooks = [
            self.get_submodule(name).register_forward_hook(_keeper(found, name)) for name in self.visible
        ]  # fmt: skip
        try:
            with torch.no_grad():
                self(x)
        finally:
            for hook in hooks:
                hook.remove()
        return found

    def present(self, x: Tensor) -> Tensor | None:
        """Return (n, 1, steps): 1 where there is a step, None where all sequences have one length."""
        if not self.padded:
            return None
        there = x.round() != 0 if self.embedding is not None else x[:, self.channels :] > 0.5
        return there.to(x.dtype)


def _keeper(found: dict[str, Tensor], name: str) -> Any:
    def keep(module: nn.Module, inputs: Any, output: Tensor) -> None:
        found[name] = output.detach()

    return keep


def _largest(maps: Tensor, present: Tensor | None) -> Tensor:
    """Return the largest value of each map over the steps that are there, 0 without any."""
    if present is None:
        return maps.amax(-1)
    lowest = torch.finfo(maps.dtype).min
    largest = maps.masked_fill(present == 0, lowest).amax(-1)
    return largest * (present.sum(-1) > 0)


def _last(maps: Tensor, present: Tensor | None) -> Tensor:
    """Return the values of each map at the last step that is there."""
    if present is None:
        return maps[..., -1]
    at = (lengths_of(present) - 1).clamp(min=0)[:, None, None].expand(-1, maps.shape[1], 1)
    return maps.gather(-1, at)[..., 0]
