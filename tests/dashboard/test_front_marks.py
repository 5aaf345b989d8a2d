"""What is marked on the front: knee, points no λ reaches, ties, chances, intervals, colours; bytes, words, table."""

from __future__ import annotations

import numpy as np
import pytest
from test_front_axes import TABLE, made, snapshot_of, view_of
from test_run_views import WORDS, decode

from dashboard.components.luck import Luck
from dashboard.figures.front import front_payload
from dashboard.texts import text
from dashboard.views.front import FrontView, front_view
from dashboard.views.front_card import point_lines
from dashboard.views.front_choice import MARKS, FrontChoice
from dashboard.views.front_colour import KINDS, colouring
from dashboard.views.front_marks import CROSSES, front_marks
from dashboard.views.front_table import front_table
from dashboard.views.front_words import legend_help, tie_sentence
from nas_core.objectives import METRICS
from nas_core.preferences import Preference
from nas_core.records import Evaluation
from nas_core.search import Archive, FrontLuck, Snapshot, front_luck, knee, unsupported

ALL = FrontChoice(marks=MARKS)
BEND = snapshot_of((0.99, 0.10, 9), (0.97, 0.7, 9), (0.6, 0.9, 9), (0.5, 0.05, 9))


def lucky(snapshot: Snapshot, weight: float = 0.5, choice: FrontChoice = ALL) -> tuple[FrontView, FrontLuck]:
    ranked = snapshot.rank(Preference(weight=weight))
    luck = front_luck(snapshot, ranked)
    view = front_view("run", snapshot, ranked, selected=None, words=WORDS, choice=choice, luck=luck)
    return view, luck


def twins_of(half: float = 0.05) -> Snapshot:
    """Return two that are alike, the second a little worse, and a far one."""
    archive = Archive(METRICS["roc_auc"], TABLE)
    rows = ((1, 0.90, 0.5), (2, 0.89, 0.5), (3, 0.2, 0.9))
    archive.add([made(k, p, dict.fromkeys(TABLE, s), 9, half if k < 3 else 0.0) for k, p, s in rows])
    return archive.snapshot()


def test_without_marks_there_are_none() -> None:
    view = view_of(BEND, FrontChoice())
    assert (view.marks.knee, view.marks.unsupported, view.marks.tied, view.marks.chances) == (None, (), (), ())
    assert view.marks.crosses == ()


def test_the_knee_is_that_of_the_engine_on_the_axes_that_are_shown() -> None:
    ranked = BEND.rank(Preference())
    assert view_of(BEND, ALL).marks.knee == BEND.index[knee(ranked.losses)] == 1
    assert view_of(BEND, FrontChoice(z="parameters", marks=("knee",))).marks.knee is None  # of three there is none
    assert view_of(snapshot_of(), ALL).marks.knee is None


def test_what_no_weight_chooses_is_marked_and_is_in_no_band() -> None:
    rng = np.random.default_rng(3)
    snapshot = snapshot_of(*((float(p), float(1 - p**4) * 0.9, 9) for p in rng.uniform(0.5, 0.99, 60)))
    view = view_of(snapshot, ALL)
    expected = snapshot.index[unsupported(snapshot.rank(Preference()).losses)]
    assert set(view.marks.unsupported) == set(expected.tolist())
    assert not set(view.marks.unsupported) & {band.number for band in view.bands}


def test_ties_are_of_the_weight_in_force_and_old_ones_are_not_told() -> None:
    snapshot = twins_of()
    view, luck = lucky(snapshot, 0.0)
    assert (view.best, view.marks.tied) == (1, (2,))
    assert "2" in tie_sentence(view)
    assert tie_sentence(view).startswith("One candidate cannot be told apart from **#1**")
    far, _ = lucky(snapshot, 1.0)
    assert (far.best, far.marks.tied) == (3, ())
    assert "leads at this λ" in tie_sentence(far)
    better = snapshot_of((0.99, 0.95, 9), (0.9, 0.5, 9))  # another archive, another best
    ranked = better.rank(Preference(weight=0.0))
    axes = view_of(better, ALL)
    assert front_marks(better, ranked, [], axes.on_front, ("ties",), luck).tied in ((), (1,))
    shrunk = front_luck(snapshot, snapshot.rank(Preference(weight=0.0)))
    assert front_marks(better, ranked, [], axes.on_front, ("chance",), shrunk).chances
    assert tie_sentence(view_of(snapshot_of(), ALL)) == ""


def test_bands_say_how_surely_they_lead_and_where_they_do_not() -> None:
    view, luck = lucky(twins_of(), 0.0)
    first = view.bands[0]
    assert first.lead is not None
    assert 0.4 < first.lead < 0.9
    assert view.bands[-1].lead == 1.0
    assert view.marks.shaky == tuple(luck.unstable())
    head = decode(front_payload(view))[0]
    assert head["bands"][0][3] == first.lead
    assert head["marks"]["tied"] == [2]
    assert decode(front_payload(view_of(twins_of(), FrontChoice())))[0]["bands"][0][3] is None


def test_chances_are_percentages_of_those_that_have_one() -> None:
    view, luck = lucky(twins_of())
    chances = dict(view.marks.chances)
    assert set(chances) == {1, 2, 3}
    assert chances[3] == 100
    assert chances[1] > chances[2] > 10
    assert chances[1] == round(100 * luck.chance[list(luck.positions).index(0)])


def test_crosses_hold_the_intervals_of_both_axes_and_are_not_too_many() -> None:
    view = view_of(twins_of(), ALL)
    crosses = {int(row[0]): row[1:] for row in view.marks.crosses}
    assert crosses[1] == (pytest.approx(0.51 / 1.01, abs=1e-5),) * 2 + (0.85, pytest.approx(0.95))
    many = snapshot_of(*((1 - k / 1000, k / 1000 + 0.3, 9) for k in range(400)))
    assert CROSSES <= len(view_of(many, ALL).marks.crosses) <= CROSSES + 1


@pytest.mark.parametrize("wanted", ["origin", "operator", "version"])
def test_kinds_are_named_and_the_rarest_share_one(wanted: str) -> None:
    archive = Archive(METRICS["roc_auc"], TABLE)
    names = ["landmark: linear model of all features", *(f"made_{k}" for k in range(12)), "made_0"]
    found = [made(k, 0.9, dict.fromkeys(TABLE, 0.5), 9).model_copy(update={"operator": n}) for k, n in enumerate(names)]
    found[3] = found[3].model_copy(update={"origin": "manual"})
    snapshot = archive.add(found)
    shown = np.arange(len(names))
    colours = colouring(wanted, snapshot, shown, since=(0, 4, 9))
    assert colours is not None
    assert len(colours.names) <= KINDS + 1
    assert colours.codes.max() == len(colours.names) - 1
    if wanted == "origin":
        assert [colours.names[c] for c in colours.codes[[0, 1, 3]]] == [
            text("front.origin_landmark"), text("front.origin_strategy"), text("front.origin_manual")
        ]  # fmt: skip
    if wanted == "operator":
        assert colours.names[0] == "made 0"
        assert colours.names[-1] == "other"
    if wanted == "version":
        assert [colours.names[c] for c in colours.codes[[0, 3, 4, 8, 9]]] == [f"version {v}" for v in (1, 1, 2, 2, 3)]


def test_scales_go_from_the_first_to_the_last_and_from_no_chance_to_certainty() -> None:
    shown = np.arange(len(BEND))
    age = colouring("age", BEND, shown)
    assert age is not None
    assert (age.codes[0], age.codes[-1], age.ends) == (0, 255, ("#0", "#3"))
    assert colouring("front", BEND, shown) is None
    blank = colouring("chance", BEND, shown)
    assert blank is not None
    assert not blank.codes.any()
    luck = front_luck(BEND, BEND.rank(Preference()))
    sure = colouring("chance", BEND, shown, luck)
    assert sure is not None
    assert sure.codes[1] == 255
    empty = colouring("age", snapshot_of(), np.arange(0))
    assert empty is not None
    assert empty.ends == ("", "")


def test_the_legend_explains_what_is_there_and_nothing_else() -> None:
    usual = legend_help(view_of(BEND, FrontChoice()))
    assert "Pareto front" in usual
    assert "knee" not in usual
    marked = legend_help(lucky(twins_of(), 0.0)[0])
    for word in ("knee", "tied at λ", "size", "cross", "hatched", "goal handles"):
        assert word in marked
    assert "goal handles" not in legend_help(view_of(BEND, FrontChoice(z="parameters")))


def test_the_table_lists_the_front_with_intervals_and_marks() -> None:
    snapshot = twins_of()
    view, luck = lucky(snapshot, 0.0)
    table = front_table(view, snapshot, snapshot.rank(Preference(weight=0.0)), ALL, luck)
    assert table.total == int(view.on_front.sum()) == 2
    assert table.columns["#"].tolist() == [3, 1]  # the best x first
    assert table.columns["ROC AUC, from"].tolist() == [0.2, 0.85]
    assert table.columns["P(on the front)"].tolist() == [100, dict(view.marks.chances)[1]]
    assert "best at λ" in table.columns["marks"][1]
    other = FrontChoice(x="parameters", marks=())
    small = front_table(view_of(BEND, other), BEND, BEND.rank(Preference()), other)
    assert "P(on the front)" not in small.columns
    assert "Parameters, from" not in small.columns
    assert list(small.columns)[1] == "Parameters (smaller is better)"
    assert front_table(view_of(snapshot_of(), ALL), snapshot_of(), snapshot_of().rank(Preference()), ALL).total == 0


def test_the_card_tells_performance_structure_and_origin(evaluated: list[Evaluation], space: object) -> None:
    lines = point_lines(evaluated[0], space, METRICS["roc_auc"])
    assert lines[0][0] == "ROC AUC"
    assert "±" in lines[0][1]
    assert lines[1][0] == "Uses"
    assert lines[-1] == ("made by", evaluated[0].operator.replace("_", " "))


@pytest.fixture(scope="module")
def evaluated() -> list[Evaluation]:
    from recorded import recorded_run

    return recorded_run()[1]


@pytest.fixture(scope="module")
def space() -> object:
    from recorded import run_problem

    from nas_core.spaces import SearchSpace

    return SearchSpace.for_problem(run_problem(), "balanced")


def test_luck_is_worked_out_aside_once_and_again_when_enough_is_new() -> None:
    luck, snapshot = Luck(), twins_of()
    ranked, inside = snapshot.rank(Preference()), np.ones(3, dtype=bool)
    luck.ask(snapshot, ranked, inside, live=True)
    luck.wait(30)
    first = luck.found
    assert first is not None
    luck.ask(snapshot, ranked, inside, live=True)
    luck.wait(30)
    assert luck.found is first
    luck.ask(snapshot, ranked, inside, live=False)  # the end of a run changes nothing by itself
    assert luck.found is first
    more = snapshot_of(*((0.9 - k / 100, 0.5 + k / 100, 9) for k in range(40)))
    luck.ask(more, more.rank(Preference()), np.ones(40, dtype=bool), live=True)
    luck.wait(30)
    assert luck.found is not first
    assert not luck.working
    assert luck.failure == ""


def test_a_failure_is_kept_as_words() -> None:
    luck, snapshot = Luck(), twins_of()
    luck.ask(snapshot, snapshot.rank(Preference()), np.ones(2, dtype=bool), live=True)  # one mask too short
    luck.wait(30)
    assert "ValueError" in luck.failure
