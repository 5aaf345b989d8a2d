"""The data card: what a problem learns from, on one page that can be handed over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from nas_core.data.leaks import ColumnWarning
from nas_core.escaping import markdown_text
from nas_core.records import FiniteRecord, Record

if TYPE_CHECKING:
    from nas_core.data.problem import Problem

__all__ = ["ClassShare", "DataCard", "PartSize", "Quantity", "Suspicion", "data_card"]

SHOWN = 20


class ClassShare(FiniteRecord):
    """One class: its name, its rows, and how much a row of it counts in the training loss."""

    name: str
    rows: int
    weight: float = 1.0


class Quantity(FiniteRecord):
    """The distribution of a target quantity in its own unit, and what is trained on instead of it."""

    low: float
    high: float
    mean: float
    sd: float
    trained_on: str


class PartSize(Record):
    """One part of the split: its rows, and how many of them a search reads."""

    name: str
    rows: int
    used: int


class Suspicion(Record):
    """A warning about a column, see :class:`ColumnWarning`."""

    column: str
    kind: str
    evidence: str
    suggestion: str


class DataCard(FiniteRecord):
    """What a problem learns from; nothing in it comes from the rows of the test part but their number and classes.

    Attributes:
        name, source, licence: What the data are called, where they came from (no path of this machine), their licence.
        modality: ``tabular``, ``image`` or ``sequence``.
        shape: Of one row, for images and sequences: "1 × 8 × 8 pixels, 16 patches".
        rows: Rows with a target.
        target, task: What is predicted.
        kinds: Features by kind.
        classes: Of a classification.
        quantity: Of a regression.
        missing: Columns with missing values, most first, and in how many rows.
        split: The scheme in words.
        seed: Of the split.
        parts: Train, validation, test.
        metric: What candidates are compared by.
        suspicions: Warnings about columns that are in use.
        notes: What was changed while reading.
        data_hash: SHA-256 of the content.
    """

    name: str
    source: str
    licence: str = "unknown"
    modality: str
    shape: str = ""
    rows: int
    target: str
    task: str
    kinds: dict[str, int]
    classes: tuple[ClassShare, ...] = ()
    quantity: Quantity | None = None
    missing: dict[str, int] = Field(default_factory=dict)
    split: str
    seed: int
    parts: tuple[PartSize, ...]
    metric: str
    suspicions: tuple[Suspicion, ...] = ()
    notes: tuple[str, ...] = ()
    data_hash: str

    def to_json(self) -> str:
        """Return the card as JSON text."""
        return self.model_dump_json(indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the card as Markdown in which no name or value can be anything but text."""
        say = markdown_text
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items() if count)
        lines = [
            f"# Data card: {say(self.name)}",
            "",
            f"- **Rows**: {self.rows:,}",
            f"- **Predicted**: {say(self.target)} ({self.task}), by {say(self.metric)}",
            f"- **Features**: {sum(self.kinds.values()):,} ({kinds})" + (f"; {say(self.shape)}" if self.shape else ""),
            f"- **Source**: {say(self.source)}",
            f"- **Licence**: {say(self.licence)}",
            f"- **SHA-256 of the content**: `{self.data_hash}`",
            "",
            "## Split",
            "",
            f"{say(self.split)}, seed {self.seed}.",
            "",
            *_table(("part", "rows", "read by a search"), [(p.name, f"{p.rows:,}", f"{p.used:,}") for p in self.parts]),
            "",
            "## Target",
            "",
            *self._target_lines(),
        ]
        if self.missing:
            rows = [(name, f"{count:,}") for name, count in list(self.missing.items())[:SHOWN]]
            lines += ["", "## Missing values", "", *_table(("column", "rows without a value"), rows)]
            if len(self.missing) > SHOWN:
                lines += ["", f"… and {len(self.missing) - SHOWN:,} more columns."]
        if self.suspicions:
            found = [(s.column, s.kind.replace("_", " "), s.evidence, s.suggestion) for s in self.suspicions]
            lines += ["", "## Look at", "", *_table(("column", "what", "seen", "what to do"), found)]
        if self.notes:
            lines += ["", "## Changed while reading", "", *(f"- {say(note)}" for note in self.notes)]
        return "\n".join(lines) + "\n"

    def _target_lines(self) -> list[str]:
        if self.quantity is not None:
            q = self.quantity
            told = f"From {q.low:.6g} to {q.high:.6g}, mean {q.mean:.6g}, standard deviation {q.sd:.6g}"
            return [f"{told}; trained on {markdown_text(q.trained_on)}."]
        rows = [(c.name, f"{c.rows:,}", f"{c.rows / self.rows:.1%}", f"{c.weight:.3g}") for c in self.classes]
        return _table(("class", "rows", "share", "weight in the loss"), rows)


def data_card(problem: Problem, warnings: Sequence[ColumnWarning] = (), licence: str = "unknown") -> DataCard:
    """Return the card of a problem.

    Args:
        problem: The problem.
        warnings: What :func:`column_warnings` found in its training rows.
        licence: Of the data, where it is known.
    """
    dataset, spec = problem.dataset, problem.spec
    missing = {f.name: f.missing for f in sorted(dataset.features, key=lambda f: -f.missing) if f.missing}
    return DataCard(
        name=dataset.name,
        source=_source(problem),
        licence=licence,
        modality=dataset.modality,
        shape=_shape(problem),
        rows=dataset.N,
        target=dataset.target,
        task=dataset.task,
        kinds=_kinds(problem),
        classes=_classes(problem),
        quantity=_quantity(problem),
        missing=missing,
        split=_split_words(problem),
        seed=spec.split_seed,
        parts=(
            PartSize(
                name="train", rows=len(problem.split.train), used=min(len(problem.split.train), spec.max_train_rows)
            ),
            PartSize(
                name="validation",
                rows=len(problem.split.valid),
                used=min(len(problem.split.valid), spec.max_valid_rows),
            ),
            PartSize(name="test", rows=len(problem.split.test), used=0),
        ),
        metric=problem.objective.label,
        suspicions=tuple(
            Suspicion(column=w.column, kind=w.kind, evidence=w.evidence, suggestion=w.suggestion) for w in warnings
        ),
        notes=problem.notes,
        data_hash=dataset.hash,
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(markdown_text(cell) for cell in row) for row in rows]
    return [f"| {line} |" for line in lines]


def _source(problem: Problem) -> str:
    """Return where the data came from; of a file its name alone, since a path says who uses this machine."""
    source = problem.dataset.source
    if source.kind == "builtin":
        return f"scikit-learn, {source.location}"
    if source.kind == "file":
        return f"file {PurePath(source.location).name}"
    return "handed over in memory" if source.kind == "memory" else source.location


def _shape(problem: Problem) -> str:
    signal = problem.dataset.signal
    if signal is None:
        return ""
    sizes = " × ".join(str(n) for n in signal.shape)
    if signal.modality == "image":
        return f"{sizes} pixels in {signal.features} patches"
    if signal.vocabulary:
        return f"{signal.shape[-1]} words at most, vocabulary {signal.vocabulary}"
    return f"{sizes} (channels × steps)" + (", unequal lengths" if signal.padded else "")


def _kinds(problem: Problem) -> dict[str, int]:
    signal = problem.dataset.signal
    if signal is not None:
        cell = "words" if signal.vocabulary else "steps"
        runs = cell if signal.cell[1] == 1 else f"runs of {cell}"
        return {"patches" if signal.modality == "image" else runs: signal.features}
    kinds = [f.kind for f in problem.dataset.features]
    return {kind: kinds.count(kind) for kind in ("numeric", "categorical")}


def _classes(problem: Problem) -> tuple[ClassShare, ...]:
    dataset = problem.dataset
    if dataset.task == "regression":
        return ()
    counts = np.bincount(dataset.y.astype(np.int64), minlength=len(dataset.classes))
    weights = np.ones(len(counts)) if problem.class_weights is None else problem.class_weights
    return tuple(
        ClassShare(name=name, rows=int(count), weight=float(weight))
        for name, count, weight in zip(dataset.classes, counts, weights)
    )


def _quantity(problem: Problem) -> Quantity | None:
    """Return the distribution of the target over the training and validation rows."""
    if problem.task != "regression":
        return None
    y = problem.dataset.y[np.concatenate([problem.split.train, problem.split.valid])]
    return Quantity(
        low=float(y.min()), high=float(y.max()), mean=float(y.mean()), sd=float(y.std()), trained_on=problem.output_name
    )


def _split_words(problem: Problem) -> str:
    scheme, fractions = problem.spec.split, problem.spec.fractions
    shares = " / ".join(f"{100 * f:.0f}" for f in fractions)
    how = {
        "random": "at random" + (", classes in proportion" if problem.task == "classification" else ""),
        "group": f"by group: rows with the same {scheme.column} stay together",
        "time": f"by time: in the order of {scheme.column or 'the rows'}, the latest are the test part",
    }[scheme.kind]
    declared = "; the test part is the one the data declare" if problem.dataset.held_out is not None else ""
    return f"{shares} % {how}{declared}"
