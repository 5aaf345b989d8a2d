"""The table of relaxed decisions against loops, decision by decision."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.search.answers import AnswerBook
from nas_core.search.decisions import Decision
from nas_core.search.gradient import _Table

KNOWN = {
    "a": {"width": Decision(3, 2), "rate": Decision(0, 0.25), "norm": Decision(2, 0)},
    "b": {"rate": Decision(0, 0.75), "depth": Decision(4, 3)},
    "c": {"width": Decision(5, 4), "depth": Decision(4, 0)},
}


@pytest.fixture
def book() -> AnswerBook:
    book = AnswerBook()
    for candidate, decisions in KNOWN.items():
        book.note(candidate, decisions)
    return book


def test_a_table_has_the_decisions_of_those_asked_for_in_alphabetical_order(book: AnswerBook) -> None:
    table = book.table(["b", "a"])
    assert table.names == ("depth", "norm", "rate", "width")
    assert table.options.tolist() == [4, 2, 0, 3]
    expected = [[3, np.nan, 0.75, np.nan], [np.nan, 0, 0.25, 2]]
    assert np.array_equal(table.answers, expected, equal_nan=True)
    assert book.table(["c", "a"]).options.tolist() == [4, 2, 0, 5], "the most that any had"


def test_known_decisions_are_encoded_as_shares(book: AnswerBook) -> None:
    told = book.table(["a", "b", "c"])
    slow = []
    for candidate in "abc":
        for name, options in zip(told.names, told.options.tolist(), strict=True):
            decision = KNOWN[candidate].get(name)
            if not options:
                slow.append(0.5 if decision is None else decision.answer)
            elif decision is None:
                slow += [1 / options] * options
            else:
                slow += [float(at == decision.answer) for at in range(options)]
    assert _Table.of(told).encode(told.answers).ravel() == pytest.approx(slow)


def test_answers_are_drawn_with_the_frequency_of_their_shares(book: AnswerBook) -> None:
    table = _Table.of(book.table(["a", "b", "c"]))
    shares = table.relaxed(np.random.default_rng(0).normal(size=(1, table.width)), 1.0)
    drawn = list(table.drawn(np.repeat(shares, 4000, axis=0), np.random.default_rng(1)))
    for name, size, start in zip(table.names, table.sizes, table.starts, strict=True):
        values = np.array([answers[name] for answers in drawn])
        if size:
            expected = shares[0, start : start + size]
            assert np.bincount(values.astype(int), minlength=size) / 4000 == pytest.approx(expected, abs=0.04)
        else:
            assert (values == shares[0, start]).all()
