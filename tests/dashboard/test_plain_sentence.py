"""The plain sentence of a candidate: in both languages, for every family, silent about what is not known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from signal_examples import problem_of

from dashboard.texts import LANGUAGES, set_language
from dashboard.views.plain import plain_sentence
from nas_core.data import Problem, load_data
from nas_core.objectives import METRICS
from nas_core.records import Estimate, Evaluation, Measurement, Status
from nas_core.spaces import SearchSpace, facts


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    set_language("en")


def example(data: str, family: str | None = None, seed: int = 0, **changes: Any) -> tuple[Evaluation, SearchSpace]:
    """A random candidate of the balanced space of a table, of images or of series."""
    problem = Problem.create(load_data(data)) if data == "breast_cancer" else problem_of(data)
    space = SearchSpace.for_problem(problem, "balanced", family)
    architecture = space.sample(np.random.default_rng(seed))
    made = Evaluation(id=architecture.id, index=1, architecture=architecture, status=Status.DONE, seed=0,
                      performance=Estimate(value=0.9, low=0.8, high=1.0))  # fmt: skip
    return made.model_copy(update=changes), space


def tree(value: float | None, reason: str | None = None) -> dict[str, Measurement]:
    return {"tree_fidelity": Measurement(value=value, raw=value, low=value, high=value, reason=reason)}


@pytest.mark.parametrize("seed", range(4))
def test_a_table_says_how_many_features_and_interactions(seed: int) -> None:
    made, space = example("breast_cancer", seed=seed)
    known = facts(space, made.architecture)
    told = plain_sentence(made, space, METRICS["roc_auc"])
    assert f"{len(known.used_features)} " in told
    assert ("no interactions" in told) == (known.pairs == 0)
    assert told.endswith(".")
    assert "tree" not in told


def test_a_tree_is_called_by_what_it_is_judged_by() -> None:
    made, space = example("breast_cancer", measures=tree(0.94))
    told = plain_sentence(made, space, METRICS["roc_auc"])
    numbers = plain_sentence(made, space, METRICS["r2"])
    assert "94 % of its answers beyond chance (κ)" in told
    assert "explains 94 % of its output (R²)" in numbers


def test_an_undefined_tree_is_said_to_be_undefined_and_a_failed_candidate_has_none() -> None:
    made, space = example("breast_cancer", measures=tree(None, "it says the same of all rows"))
    assert "not defined" in plain_sentence(made, space, METRICS["roc_auc"])
    failed, space = example("breast_cancer", measures=tree(0.9), status=Status.FAILED)
    assert "tree" not in plain_sentence(failed, space, METRICS["roc_auc"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("data", "family"),
    [
        ("breast_cancer", "tabular"),
        ("image", "image"),
        ("image", "cell"),
        ("series", "sequence"),
        ("words", "sequence"),
    ],
)
def test_every_family_has_a_sentence_in_every_language(language: str, data: str, family: str) -> None:
    made, space = example(data, family, measures=tree(0.5))
    set_language(language)
    told = plain_sentence(made, space, METRICS["accuracy"])
    assert "50 %" in told
    assert "{" not in told
    assert told[-1] in ".。"
