"""Texts as sequences of word ids."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data.arrays import SignalLimits, signal_dataset
from nas_core.data.columns import is_text
from nas_core.data.dataset import Dataset, DataSource, Task
from nas_core.data.signal import sequence_signal
from nas_core.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_WORDS", "PADDING", "UNKNOWN", "text_columns", "text_dataset", "words_of"]

PADDING, UNKNOWN = "(padding)", "(unknown)"
MAX_WORDS = 10_000
MAX_LENGTH = 256
MAX_CHARACTERS = 100_000_000
MIN_TEXTS = 2  # a word of a single text says nothing about others
RUNNING = 3.0  # words per text, on average, from which a column is a running text
LOOKED_AT = 1_000
# one token: a word with its apostrophes, or a single sign of a script that writes no blanks between words
SIGNS = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
TOKEN = re.compile(rf"[{SIGNS}]|[^\W{SIGNS}]+(?:['’][^\W{SIGNS}]+)*")


def words_of(text: str) -> list[str]:
    """Return the lower-case words of a text; each Chinese or Japanese sign is a word."""
    return [w.replace("’", "'") for w in TOKEN.findall(text.lower())]


def text_columns(frame: pd.DataFrame, target: str | None) -> list[str]:
    """Return the columns that hold running texts: at least three words on average, most of them different."""
    found = []
    for name in frame.columns:
        if name == target or not is_text(frame[name]) or frame[name].dtype.kind not in "OUT":
            continue
        texts = [v for v in frame[name].dropna().head(LOOKED_AT) if isinstance(v, str)]
        if texts and len(set(texts)) > 0.5 * len(texts):
            words = sum(len(words_of(t[:2_000])) for t in texts) / len(texts)
            if words >= RUNNING:
                found.append(str(name))
    return found


def vocabulary(texts: Iterable[Sequence[str]], most: int = MAX_WORDS) -> tuple[str, ...]:
    """Return the words that occur in at least two texts, the commonest first, then alphabetical; at most ``most``."""
    counts: Counter[str] = Counter()
    for words in texts:
        counts.update(set(words))
    frequent = sorted((w for w, n in counts.items() if n >= MIN_TEXTS), key=lambda w: (-counts[w], w))
    return tuple(frequent[:most])


def text_dataset(
    values: pd.Series, labels: Sequence[object] | NDArray[Any], source: DataSource, *, task: Task, target: str,
    name: str, notes: Sequence[str] = (), held_out: NDArray[np.int64] | None = None,
) -> Dataset:  # fmt: skip
    """Return texts as rows of word ids: 0 is padding at the end, 1 a word outside the vocabulary.

    The vocabulary are the words that occur in at least two texts, at most 10,000 of them; neither labels nor the rows
    of a declared test part are read for it. (The search draws its split later: words of rows that fall into its test
    part are counted, their labels are not.) Texts keep as many words as 95 % of them have, at most 256.

    Raises:
        DataError: There is no word that occurs twice, or too much text.
    """
    texts = ["" if v is None or v != v else str(v) for v in values]
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise DataError(
            f"The texts of {name} have {sum(map(len, texts)):,} characters", allowed=f"at most {MAX_CHARACTERS:,}",
            fix="keep a random sample of the rows",
        )  # fmt: skip
    split = [words_of(t) for t in texts]
    held = set() if held_out is None else set(held_out.tolist())
    own = [words for row, words in enumerate(split) if row not in held]
    known = vocabulary(own)
    if not known:
        raise DataError(
            f"The texts of {name} have no word that occurs in two of them",
            allowed="texts that share words",
            fix="choose another column, or the modality tabular",
        )
    length = source.reading.length or _length(own)
    SignalLimits.check(len(texts), length, name)
    index = {word: k + 2 for k, word in enumerate(known)}
    X = np.zeros((len(texts), length), dtype=np.float32)
    for row, tokens in enumerate(split):
        ids = [index.get(w, 1) for w in tokens[:length]] or [1]  # an empty text is one unknown word
        X[row, : len(ids)] = ids
    cut = sum(len(words) > length for words in split)
    unknown = float(np.mean(X[X > 0] == 1))
    said = [f"The vocabulary has {len(known):,} words, each in at least {MIN_TEXTS} texts; {unknown:.1%} of the words "
            "are outside it."]  # fmt: skip
    if cut:
        said.append(f"{cut:,} texts are longer than {length} words: the first {length} are kept.")
    if empty := sum(not words for words in split):
        said.append(f"{empty:,} texts have no word.")
    reading = source.reading.model_copy(update={"modality": "sequence", "text": str(values.name)})
    source = source.model_copy(update={"target": target, "task": task, "reading": reading})
    words = (PADDING, UNKNOWN, *known)
    signal = sequence_signal(1, length, vocabulary=len(words), words=words, padded=bool((X == 0).any()))
    return signal_dataset(X, labels, signal, name=name, task=task, target=target, source=source,
                          notes=[*notes, *said], held_out=held_out)  # fmt: skip


def _length(texts: Sequence[Sequence[str]]) -> int:
    """Return how many words 95 % of the texts have at most, between 1 and 256."""
    lengths = np.array([len(t) for t in texts] or [1])
    return int(np.clip(np.ceil(np.quantile(lengths, 0.95)), 1, MAX_LENGTH))
