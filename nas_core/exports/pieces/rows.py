"""From rows as a person has them to the tensor that an exported model reads."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

__all__ = ["image_rows", "number_of", "series_rows", "table_rows", "text_rows", "words_of"]


def number_of(value: Any, categories: Sequence[str] | None) -> float:
    """Return a number, or the code of a category; NaN where there is none, -1 for a category that was never seen."""
    if value is None or value == "" or value != value:
        return math.nan
    if categories is None:
        return float(value)
    whole = isinstance(value, (int, float)) and math.isfinite(value) and value == math.floor(value)
    name = str(int(value)) if whole else str(value).strip()
    return float(categories.index(name)) if name in categories else -1.0


def table_rows(rows: Any, features: Sequence[str], categories: Mapping[str, Sequence[str]]) -> Tensor:
    """Return (N, features) float64 of mappings by feature name, or of sequences in the order of ``features``."""
    found = []
    for row in rows:
        values = [row[name] for name in features] if isinstance(row, Mapping) else list(row)
        if len(values) != len(features):
            raise ValueError(f"a row has {len(values)} values; needed are {len(features)}: {', '.join(features)}")
        found.append([number_of(value, categories.get(name)) for name, value in zip(features, values)])
    return torch.tensor(found, dtype=torch.float64).reshape(-1, len(features))


def image_rows(rows: Any, shape: Sequence[int]) -> Tensor:
    """Return (N, channels, height, width) float32 of images of this shape, or of flattened ones."""
    return torch.tensor(np.asarray(rows, dtype=np.float32).reshape(-1, *shape))


def series_rows(rows: Any, shape: Sequence[int]) -> Tensor:
    """Return (N, channels, steps) float32 of series (channels, up to steps), flattened ones too; NaN where one ends."""
    found = np.full((len(rows), *shape), np.nan, dtype=np.float32)
    for at, row in enumerate(rows):
        values = np.asarray(row, dtype=np.float32).reshape(shape[0], -1)[:, : shape[1]]
        found[at, :, : values.shape[1]] = values
    return torch.from_numpy(found)


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text; each Chinese or Japanese sign is a word."""
    signs = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    token = rf"[{signs}]|[^\W{signs}]+(?:['’][^\W{signs}]+)*"
    return [word.replace("’", "'") for word in re.findall(token, text.lower())]


def text_rows(rows: Any, words: Sequence[str], length: int) -> Tensor:
    """Return (N, length) int64 word ids of texts or of lists of ids: 0 = padding at the end, 1 = a word not known."""
    known = {word: at for at, word in enumerate(words) if at > 1}
    found = torch.zeros((len(rows), length), dtype=torch.int64)
    for at, row in enumerate(rows):
        ids = [known.get(w, 1) for w in words_of(row)] or [1] if isinstance(row, str) else [int(i) for i in row]
        found[at, : min(len(ids), length)] = torch.tensor(ids[:length])
    return found
