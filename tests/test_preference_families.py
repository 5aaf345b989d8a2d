"""Weights of families and of measures within them: one simplex between, one within each, and everybody agrees."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.command.parsing import parse_weights
from nas_core.errors import SettingsError
from nas_core.interpretability import MEASURES
from nas_core.objectives import metric_objective
from nas_core.preferences import FAMILIES, MEASURE_FAMILIES, STRUCTURE_MEASURES, Preference, interpretability
from nas_core.records import Architecture, Estimate, Evaluation, Measurement, Status
from nas_core.runs.settings import RunSettings
from nas_core.search.archive import Archive
from nas_core.search.population import Member, Population
from nas_core.search.standing import Standing

AUC = metric_objective("roc_auc")
NAMES = tuple(MEASURE_FAMILIES)
some_names = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
weights = st.floats(1e-3, 1e3)
factors = st.floats(0.01, 100)
families = st.dictionaries(st.sampled_from(FAMILIES), weights, min_size=1)


def home(name: str) -> str:
    return MEASURE_FAMILIES[name]


def test_the_families_are_those_of_the_measures() -> None:
    assert {name: measure.family for name, measure in MEASURES.items()} == {
        name: MEASURE_FAMILIES[name] for name in MEASURES
    }
    assert set(MEASURE_FAMILIES.values()) == set(FAMILIES)
    assert {name for name, family in MEASURE_FAMILIES.items() if family == "structure"} == set(STRUCTURE_MEASURES)


@given(some_names, families, st.dictionaries(st.sampled_from(NAMES), weights))
def test_there_is_a_simplex_between_families_and_one_within_each(
    names: list[str], wanted: dict[str, float], inside: dict[str, float]
) -> None:
    inside = {name: w for name, w in inside.items() if name in names}
    wish = Preference(families=wanted, measures=inside)
    shares = dict(zip(names, wish.shares(names)))
    left = {f: w for f, w in wanted.items() if any(home(n) == f for n in names)}
    if not left:
        assert not any(shares.values())
        with pytest.raises(SettingsError, match="Nothing that is measured here has a weight"):
            wish.vector(names)
        return
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(wish.vector(names)) == list(shares.values())
    for family in FAMILIES:
        of = {n: s for n, s in shares.items() if home(n) == family}
        expected = left.get(family, 0.0) / math.fsum(left.values())
        assert math.fsum(of.values()) == pytest.approx(expected)
        mentioned = (
            {n: inside.get(n, 0.0) for n in of} if any(home(n) == family for n in inside) else of.fromkeys(of, 1.0)
        )
        for name, share in of.items():
            assert share == pytest.approx(expected * mentioned[name] / math.fsum(mentioned.values()))


@given(
    some_names, families, st.dictionaries(st.sampled_from(NAMES), weights), st.floats(0.01, 100), st.floats(0.01, 100)
)
def test_only_ratios_of_weights_count(
    names: list[str], wanted: dict[str, float], inside: dict[str, float], a: float, b: float
) -> None:
    one = Preference(families=wanted, measures=inside)
    other = Preference(families={f: a * w for f, w in wanted.items()}, measures={n: b * w for n, w in inside.items()})
    assert one.shares(names) == pytest.approx(other.shares(names))


@given(families, st.dictionaries(st.sampled_from(NAMES), weights), st.floats(0, 1))
def test_it_survives_json_and_sums_to_one(wanted: dict[str, float], inside: dict[str, float], weight: float) -> None:
    wish = Preference(weight=weight, families=wanted, measures=inside)
    assert math.fsum(wish.families.values()) == pytest.approx(1.0)
    assert Preference.model_validate(json.loads(wish.model_dump_json())) == wish


def test_settings_that_were_stored_before_there_were_families_still_load() -> None:
    old = {"weight": 0.3, "measures": {"additivity": 1.0}}
    assert Preference.model_validate(old).families == {}
    assert RunSettings.model_validate({"preference": old}).preference.vector(("additivity",)).tolist() == [1.0]


def test_without_families_every_measure_counts_the_same_whatever_its_family() -> None:
    names = ("additivity", "tree_fidelity", "decision_path", "introspectability")
    assert Preference().vector(names).tolist() == [0.25] * 4
    counted = Preference(families={"structure": 1, "summary": 2, "explanation": 1})
    assert counted.vector(names) == pytest.approx([0.25, 0.25, 0.25, 0.25])
    assert Preference(families=dict.fromkeys(FAMILIES, 1)).vector(names) == pytest.approx([1 / 3, 1 / 6, 1 / 6, 1 / 3])


def test_a_family_whose_measures_all_have_no_weight_does_not_count() -> None:
    wish = Preference(families={"structure": 1, "summary": 1}, measures={"tree_fidelity": 0, "additivity": 1})
    assert wish.vector(("additivity", "tree_fidelity")).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"families": {"beauty": 1}}, r"There is no family of measures 'beauty'.*structure, summary, explanation"),
        ({"families": {"structure": -1}}, r"The weight of the family 'structure' is -1.*zero or more"),
        ({"families": {"structure": math.nan}}, r"The weight of the family 'structure' is nan"),
        ({"families": {"structure": "much"}}, r"The weight of the family 'structure' is 'much'"),
        ({"families": {"structure": 0, "summary": 0}}, r"weights of all families are zero \(structure, summary\)"),
        ({"families": ["structure"]}, r"The family weights are \['structure'\].*a mapping from family names"),
        ({"measures": {"additivity": 0}}, r"weights of all measures are zero"),
    ],
)
def test_weights_that_mean_nothing_are_refused_in_words(given_: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Preference(**given_)


def test_a_measure_without_a_family_is_refused_when_families_are_weighed() -> None:
    with pytest.raises(SettingsError, match=r"The measure 'beauty' belongs to no family.*weigh single measures"):
        Preference(families={"structure": 1}).vector(("additivity", "beauty"))
    assert Preference(measures={"beauty": 1}).vector(("additivity", "beauty")).tolist() == [0.0, 1.0]


def evaluation(at: int, value: float, scores: dict[str, float | None]) -> Evaluation:
    architecture = Architecture(family="toy", values={"at": at})
    measures = {n: Measurement(value=s) if s is not None else Measurement(reason="none") for n, s in scores.items()}
    return Evaluation(
        id=architecture.id, architecture=architecture, status=Status.DONE, measures=measures,
        performance=Estimate(value=value, low=value, high=value), skill=Estimate(value=0.5, low=0.4, high=0.6),
    )  # fmt: skip


MEASURED = ("additivity", "operation_economy", "tree_fidelity", "introspectability")
unit = st.integers(0, 10).map(lambda k: k / 10)
rows = st.lists(
    st.tuples(unit, st.tuples(unit, *[st.none() | unit] * 3)), min_size=1, max_size=15
)  # the first measure always has a value, so that every candidate has a mean


@settings(max_examples=100, deadline=None)
@given(
    rows,
    st.dictionaries(st.sampled_from(FAMILIES), weights, min_size=3),
    st.dictionaries(st.sampled_from(MEASURED), weights),
    unit,
)
def test_the_ranking_the_search_and_a_recomputation_agree(
    told: list, wanted: dict[str, float], inside: dict[str, float], weight: float
) -> None:
    inside = {**inside, "additivity": 1.0}
    wish = Preference(weight=weight, families=wanted, measures=inside)
    found = [evaluation(at, value, dict(zip(MEASURED, scores))) for at, (value, scores) in enumerate(told)]
    archive = Archive(AUC, MEASURED)
    archive.add(found)
    before = archive.rank(Preference())
    ranking, snapshot = archive.rank(wish), archive.snapshot()
    shares = wish.vector(MEASURED)
    for at, key in enumerate(snapshot.ids):  # a recomputation, candidate by candidate
        e = next(e for e in found if e.id == key)
        known = [(s, e.measures[n].value) for n, s in zip(MEASURED, shares) if e.measures[n].value is not None]
        logs = sum(s * math.log((0.01 + v) / 1.01) for s, v in known) / sum(s for s, _ in known)
        assert ranking.interpretability[at] == pytest.approx(math.exp(logs))
    standing = Standing(AUC, wish)
    standing.add(found)
    assert [standing.key(i)[1] for i in snapshot.ids] == pytest.approx(ranking.score, abs=1e-9)
    population = Population.of([Member.of(e, AUC, ("additivity",)) for e in found], wish)
    order = [snapshot.position(m.architecture.id) for m in population.members]
    assert population.score == pytest.approx(ranking.score[order], abs=1e-9)
    again = archive.rank(Preference())
    assert np.array_equal(before.score, again.score)  # nothing was measured anew


def test_a_change_of_the_families_changes_who_wins() -> None:
    archive = Archive(AUC, MEASURED)
    plain = evaluation(0, 0.8, {**dict.fromkeys(MEASURED, 0.9), "introspectability": 0.1})
    clear = evaluation(1, 0.8, {**dict.fromkeys(MEASURED, 0.2), "introspectability": 0.9})
    archive.add([plain, clear])
    ids = archive.snapshot().ids
    for family, best in (("structure", plain), ("explanation", clear)):
        assert ids[archive.rank(Preference(weight=1.0, families={family: 1})).best] == best.id


def test_an_undefined_measure_leaves_its_weight_to_the_others() -> None:
    wish = Preference(families={"structure": 1, "summary": 1})
    names = ("additivity", "tree_fidelity")
    mean = interpretability(np.array([[0.4, np.nan]]), wish.vector(names))
    assert mean == pytest.approx([(0.01 + 0.4) / 1.01])


def test_weights_on_the_command_line() -> None:
    assert parse_weights(["structure=2", " summary = 0.5"], FAMILIES) == {"structure": 2.0, "summary": 0.5}
    assert parse_weights([], FAMILIES) == {}
    for text in ("structure", "structure=", "structure=much", "structure=-1", "structure=nan", "beauty=1", "=1"):
        with pytest.raises(SettingsError, match=r"is no weight.*NAME=NUMBER.*structure=2"):
            parse_weights([text], FAMILIES)
    with pytest.raises(SettingsError, match="weighs twice"):
        parse_weights(["structure=1", "structure=2"], FAMILIES)
