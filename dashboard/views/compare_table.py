"""Candidates side by side: one row per question, what differs apart from what is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dashboard.texts import said, spoken, spoken_line, text
from dashboard.views.card import measure_label, structure_lines
from dashboard.views.words import count, duration, estimate, interval, number
from nas_core.objectives import METRICS

if TYPE_CHECKING:
    from nas_core.objectives import Objective
    from nas_core.records import Evaluation, Measurement
    from nas_core.spaces import SearchSpace

__all__ = ["Cell", "CompareTable", "Compared", "TableRow", "compare_table", "letter"]

QUESTIONS = ("what", "good", "simple")


@dataclass(frozen=True)
class Compared:
    """A candidate that is compared: what is known of it, the space it is from, its interpretability now."""

    evaluation: Evaluation
    space: SearchSpace
    interpretability: float | None


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        words: What it says.
        share: Length of a bar in [0, 1] behind it, None for none.
        hue: "accuracy", "interpretability" or "" for the bar.
        best: Whether it is the best of its row, where there is a best.
        missing: Whether ``words`` say why there is nothing.
    """

    words: str
    share: float | None = None
    hue: str = ""
    best: bool = False
    missing: bool = False


@dataclass(frozen=True)
class TableRow:
    """One row: the question it belongs to (of QUESTIONS), what it is about, one cell per candidate."""

    question: str
    label: str
    help: str
    cells: tuple[Cell, ...]

    @property
    def same(self) -> bool:
        """Whether all candidates have the same in it."""
        return len({(c.words, c.missing) for c in self.cells}) == 1


@dataclass(frozen=True)
class CompareTable:
    """The rows in which candidates differ, and those in which they do not; each in the order of the questions."""

    different: tuple[TableRow, ...]
    same: tuple[TableRow, ...]


def letter(position: int) -> str:
    """Return the letter that marks the candidate of a column in every picture of the page."""
    return "ABCD"[position]


def compare_table(compared: Sequence[Compared], objective: Objective) -> CompareTable:
    """Return the rows for two candidates or more of one run, what differs first."""
    rows = [*_what(compared), *_good(compared, objective), *_simple(compared)]
    return CompareTable(tuple(r for r in rows if not r.same), tuple(r for r in rows if r.same))


def _what(compared: Sequence[Compared]) -> list[TableRow]:
    from nas_core.spaces import facts

    known = [facts(c.space, c.evaluation.architecture) for c in compared]
    lines = [dict(structure_lines(c.evaluation, c.space, f)) for c, f in zip(compared, known)]
    terms = list(dict.fromkeys(term for told in lines for term in told))
    rows = [_row("what", term, [Cell(told.get(term, "–")) for told in lines]) for term in terms]
    built = [Cell(spoken_line(c.space.engine.describe(c.space, c.evaluation.architecture.values))) for c in compared]
    rows.append(_row("what", text("card.built"), built))
    rows.append(_row("what", text("candidate.parameters"), [Cell(count(f.parameters)) for f in known]))
    status = [
        Cell(text(f"candidate.status_{c.evaluation.status.value}"), missing=not c.evaluation.eligible) for c in compared
    ]
    rows.append(_row("what", text("compare.status"), status))
    return rows


def _good(compared: Sequence[Compared], objective: Objective) -> list[TableRow]:
    found = [c.evaluation for c in compared]
    values = [None if e.performance is None else e.performance.value for e in found]
    losses = [None if v is None else objective.loss(v) for v in values]
    best = min((loss for loss in losses if loss is not None), default=None)
    cells = [
        Cell(estimate(e.performance), _skill(e), "accuracy", loss == best) if e.performance else _no(e)
        for e, loss in zip(found, losses)
    ]
    rows = [_row("good", objective.label, cells, text("compare.interval_help"))]
    if any(e.skill for e in found):
        skills = [Cell(estimate(e.skill)) if e.skill else _no(e) for e in found]
        rows.append(_row("good", text("candidate.skill"), skills, text("candidate.skill_help")))
    names = dict.fromkeys(name for e in found for name in e.metrics if name != objective.name)
    for name in names:
        known = METRICS.get(name)
        label, about = (spoken(known.label), said(known.description)) if known else (name.replace("_", " "), "")
        rows.append(_row("good", label, [Cell(number(e.metrics.get(name))) for e in found], about))
    rows.append(_row("good", text("candidate.seconds"), [Cell(duration(e.cost.seconds)) for e in found],
                     text("candidate.seconds_help")))  # fmt: skip
    return rows


def _simple(compared: Sequence[Compared]) -> list[TableRow]:
    whole = [c.interpretability for c in compared]
    best = max((v for v in whole if v is not None), default=None)
    cells = [
        Cell(number(v), v, "interpretability", v == best) if v is not None else _no(c.evaluation)
        for v, c in zip(whole, compared)
    ]
    rows = [_row("simple", text("run.interpretability"), cells, text("compare.interpretability_help"))]
    for name in dict.fromkeys(n for c in compared for n in c.evaluation.measures):
        found = [c.evaluation.measures.get(name) for c in compared]
        top = max((m.value for m in found if m is not None and m.value is not None), default=None)
        rows.append(_row("simple", measure_label(name), [_measured(m, top) for m in found]))
    return rows


def _measured(measurement: Measurement | None, best: float | None) -> Cell:
    if measurement is None or measurement.value is None:
        reason = said((measurement.reason if measurement is not None else None) or "") or text("compare.not_measured")
        return Cell(text("compare.undefined", reason=reason), missing=True)
    low, high = measurement.low, measurement.high
    exact = low is None or high is None or low == high
    words = number(measurement.value) if exact else interval(measurement.value, low, high)
    return Cell(words, measurement.value, "interpretability", measurement.value == best)


def _skill(evaluation: Evaluation) -> float | None:
    return None if evaluation.skill is None else min(1.0, max(0.0, evaluation.skill.value))


def _no(evaluation: Evaluation) -> Cell:
    """Return the cell of a candidate that has no number here, with the reason its evaluation gives."""
    return Cell(said(evaluation.reason) or text("compare.not_measured"), missing=True)


def _row(question: str, label: str, cells: Sequence[Cell], help: str = "") -> TableRow:
    """Return a row; where all are the best, none is."""
    if all(c.best for c in cells):
        cells = [Cell(c.words, c.share, c.hue, False, c.missing) for c in cells]
    return TableRow(question, label, help, tuple(cells))
