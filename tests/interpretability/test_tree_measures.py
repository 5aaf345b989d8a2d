"""Tree fidelity and decision path of packs: slow twins by scikit-learn, used features only, signals and words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from measured_packs import ModulePack, architecture_of, context_of, toy_problem
from signal_examples import Formula, family_context, problem_of
from signal_examples import context_of as signal_context_of

from nas_core.data import Problem
from nas_core.interpretability import MEASURES, MeasureContext, measure_pack
from nas_core.interpretability.cells import cell_means, column_owner
from nas_core.interpretability.tree_pack import TREE_ROWS
from nas_core.interpretability.trees import TreeRows, hard_classes
from nas_core.spaces import SearchSpace

NAMES = ("tree_fidelity", "decision_path")


class Functions(ModulePack):
    """A pack of any functions of the raw rows (N, P) → (N, C); they are told the rows by their encoding."""

    def __init__(self, problem: Problem, *functions: object) -> None:
        self.functions = functions
        raw = np.concatenate([np.asarray(problem.train.X), np.asarray(problem.valid.X)])
        self.known = dict(zip(map(bytes, problem.encoder.transform(raw)), raw))

    def predict(self, E: np.ndarray) -> np.ndarray:
        rows = np.stack([self.known[bytes(e)] for e in np.asarray(E, np.float32)])
        return np.stack([f(rows) for f in self.functions])


def of_functions(problem: Problem, *functions: object) -> MeasureContext:
    """Return the context of functions of all features."""
    space = SearchSpace.for_problem(problem, "accurate")
    whole = architecture_of(space, tuple(range(problem.P)))
    return context_of(problem, [whole] * len(functions), Functions(problem, *functions))


def curved(Z: np.ndarray) -> np.ndarray:
    return (Z[:, 0] * Z[:, 1] + 0.3 * Z[:, 2] + (Z[:, 5] == 1))[:, None]


def one_question(Z: np.ndarray) -> np.ndarray:
    return np.where(Z[:, 2] > 0.1, 2.0, -1.0)[:, None]


def colour(Z: np.ndarray) -> np.ndarray:
    return np.where(Z[:, 5] == 2, 1.0, -1.0)[:, None]


def nothing(Z: np.ndarray) -> np.ndarray:
    return np.full((len(Z), 1), -0.7)


@pytest.fixture(scope="module")
def binary() -> MeasureContext:
    return of_functions(toy_problem(rows=900), curved, one_question, colour, nothing)


def test_one_question_is_one_decision_and_is_reproduced(binary: MeasureContext) -> None:
    fidelity, path = (MEASURES[name].score(binary) for name in NAMES)
    for k in (1, 2):
        assert fidelity[k].value > 0.95
        assert path[k].raw == 1
        assert path[k].value == 0.9
    assert fidelity[0].value < fidelity[1].value
    assert path[0].raw > 2


def test_a_constant_has_nothing_to_reproduce(binary: MeasureContext) -> None:
    for name in NAMES:
        found = MEASURES[name].score(binary)[3]
        assert found.value is None
        assert found.reason == "it predicts the same class for all rows, so there is no decision to follow"


def test_two_classes_by_the_fast_way_are_those_of_a_classifier(binary: MeasureContext) -> None:
    """The slow twin: scikit-learn's classifier on the same ranks, judged by its κ."""
    from sklearn.metrics import cohen_kappa_score
    from sklearn.tree import DecisionTreeClassifier

    problem = binary.problem
    train, held = np.asarray(problem.train.X), binary.rows
    assert len(train) < TREE_ROWS
    rows = TreeRows.of(np.concatenate([train, held]), [f.kind == "categorical" for f in problem.dataset.features])
    fit, asked = rows.ranks[: len(train)], rows.ranks[len(train) :]
    classes = hard_classes(curved(train))
    shallow = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=0).fit(fit, classes)
    kappa = cohen_kappa_score(hard_classes(curved(held)), shallow.predict(asked))
    assert MEASURES["tree_fidelity"].score(binary)[0].raw == pytest.approx(kappa, abs=0.03)
    deep = DecisionTreeClassifier(min_samples_leaf=25, random_state=0).fit(fit, classes)
    length = deep.decision_path(fit).sum() / len(train) - 1
    assert MEASURES["decision_path"].score(binary)[0].raw == pytest.approx(length, abs=0.1)


def test_the_interval_of_fidelity_is_that_of_other_rows(binary: MeasureContext) -> None:
    (found, *_) = MEASURES["tree_fidelity"].score(binary)
    assert found.low < found.value < found.high
    n, agreement = len(binary.rows), (1 + found.value) / 2
    wide = 2 * 1.96 * 2 * np.sqrt(agreement * (1 - agreement) / n)  # κ of balanced classes is 2 · agreement − 1
    assert found.high - found.low == pytest.approx(wide, rel=0.4)


def test_the_tree_sees_the_features_that_are_used_only() -> None:
    problem = toy_problem()
    space = SearchSpace.for_problem(problem, "accurate")
    function = Functions(problem, lambda Z: Z[:, :1])
    told = [context_of(problem, [architecture_of(space, g)], function) for g in ((0,), (3,))]
    right, wrong = (measure_pack(context, NAMES)[0] for context in told)
    assert right["tree_fidelity"].value > 0.9
    assert wrong["tree_fidelity"].value < 0.3


@pytest.mark.parametrize("kind", ["image", "series", "padded"])
def test_signals_are_read_by_the_means_of_their_cells(kind: str) -> None:
    context = family_context(problem_of(kind))
    for row in measure_pack(context, NAMES):
        for found in row.values():
            assert found.reason if found.value is None else 0 <= found.low <= found.value <= found.high <= 1
    problem = context.problem
    E, owner = np.asarray(problem.valid.E[:5], float), column_owner(problem)
    channels = problem.signal_encoder.shape[0]
    means = cell_means(problem, E)
    P = owner.max() + 1
    assert means.shape == (5, channels * P)
    place = len(owner) // channels
    for c in range(channels):
        own = E[:, c * place : (c + 1) * place]
        assert means[:, c * P] == pytest.approx(own[:, owner[:place] == 0].mean(1), abs=1e-6)


def test_an_image_that_is_told_by_one_patch_needs_one_question() -> None:
    problem = problem_of("image", classes=2, rows=400)
    owner = torch.from_numpy(column_owner(problem) == 0)

    def first_patch(x: torch.Tensor) -> torch.Tensor:
        return x[:, owner].mean(1, keepdim=True)

    row = measure_pack(signal_context_of(problem, [Formula(first_patch)]), NAMES)[0]
    assert row["decision_path"].raw == 1
    assert row["tree_fidelity"].value > 0.8


def test_words_cannot_be_split() -> None:
    for row in measure_pack(family_context(problem_of("words")), NAMES):
        assert {m.reason for m in row.values()} == {"words have no order that a tree could split"}
