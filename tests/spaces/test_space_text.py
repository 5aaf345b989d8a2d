"""A space as text, presets, declarations that contradict themselves, and reproducibility across processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from space_examples import example_hints, example_space, tiny_space

from nas_core.errors import SpaceError
from nas_core.spaces import Integer, SearchSpace, SpaceFeature, TabularConstraints, facts

SPACE = example_space(6, preset="balanced")


def edited(**changes: Any) -> str:
    data = json.loads(SPACE.to_json())
    return json.dumps({**data, **changes}, indent=2)


def variable(name: str, **changes: Any) -> list[dict[str, Any]]:
    return [{**v, **(changes if v["name"] == name else {})} for v in json.loads(SPACE.to_json())["variables"]]


def test_text_keeps_types_and_constraints() -> None:
    space = example_space(6, monotone_required={"f0": 1}, forbidden_pairs=(("f0", "f1"),), max_features=3)
    back = SearchSpace.from_yaml(space.to_yaml())
    assert isinstance(back.constraints, TabularConstraints)
    assert back.constraints.forbidden_pairs == (("f0", "f1"),)
    assert back.by_name["width"].choices == (2, 4, 8, 16, 32, 64)  # type: ignore[attr-defined]
    assert "depth" in space.to_yaml()


def test_hand_written_yaml_with_short_numbers_is_read() -> None:
    text = SPACE.to_yaml().replace("low: 1.0e-06", "low: 1e-6")
    assert text != SPACE.to_yaml()
    assert SearchSpace.from_yaml(text) == SPACE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "The text is not JSON: .* at line 1, column 2"),
        ("[]", "holds list, not a declaration.*family"),
        ('"x"', "holds str, not a declaration"),
        (edited(outputs="many"), r"line \d+, outputs: Input should be a valid integer"),
        (edited(outputs=0), r"outputs: Input should be greater than or equal to 1"),
        (edited(colour="red"), r"line \d+, colour: Extra inputs"),
        (edited(family="shapes"), "no search-space family 'shapes'"),
        (edited(variables=variable("depth", kind="whole")), r"line \d+, variables.2: a variable of kind 'whole'; all"),
        (edited(variables=variable("depth", low="x")), r"line \d+, variables.2.low: Input should be a valid integer"),
        (edited(variables=variable("depth", low=5)), r"line \d+, variables.2: depth has low 5 above high 3"),
        (edited(constraints={"max_features": 0}), r"line \d+, constraints.max_features: .*greater than or equal to 1"),
        (edited(constraints={"features_required": ["f9"]}), "features_required names 'f9'.*such as f"),
        (edited(variables=[]), "'groups' is missing"),
    ],
)  # fmt: skip
def test_faults_in_json_are_located(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SearchSpace.from_json(text)


def test_the_line_of_a_fault_is_the_line_of_its_field() -> None:
    lines = SPACE.to_yaml().splitlines()
    at = lines.index("outputs: 1")
    lines[at] = "outputs: none at all"
    with pytest.raises(SpaceError, match=f"line {at + 1}, outputs: "):
        SearchSpace.from_yaml("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "The text is not YAML: .* at line"),
        ("", "holds NoneType, not a declaration"),
        ("!!python/object:os.system {}", "The text is not YAML: could not determine a constructor"),
    ],
)
def test_faults_in_yaml_are_located(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SearchSpace.from_yaml(text)


def changed_variable(name: str, **changes: Any) -> tuple[Any, ...]:
    return tuple(v.model_copy(update=changes) if v.name == name else v for v in SPACE.variables)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": ()}, "The space has no features"),
        ({"features": (SPACE.features[0], SPACE.features[0])}, "feature 'f0' is declared twice"),
        ({"variables": (*SPACE.variables, SPACE.variables[0])}, "variable 'groups' is declared more than once"),
        ({"variables": SPACE.variables[:-1]}, "'weight_decay' is missing.*Allowed: groups"),
        ({"variables": (*SPACE.variables, Integer(name="kernel", low=1, high=3))}, "'kernel' is not one of the family"),
        ({"variables": (Integer(name="groups", low=1, high=3), *SPACE.variables[1:])}, "'groups' is of kind 'integer'"),
        ({"variables": changed_variable("activation", choices=("swish",))}, "'activation' has the choice 'swish'"),
        ({"variables": changed_variable("width", choices=(1,))}, "'width' has the choice 1.*from 2 to 4096"),
        ({"variables": changed_variable("encoding", choices=("hashed",))}, "'encoding' has the choice 'hashed'"),
        ({"variables": changed_variable("dropout", high=1.0)}, "dropout runs from 0 to 1.*0 to 0.95"),
        ({"variables": changed_variable("depth", high=40)}, "depth runs from 0 to 40"),
        ({"variables": changed_variable("depth", low=2), "constraints": {"max_depth": 1}}, "No depth is left"),
        ({"variables": changed_variable("groups", linear=False), "constraints": {"max_depth": 0}}, "linear groups are"),
        ({"constraints": {"features_required": ("f1",), "features_forbidden": ("f1",)}}, "'f1' is both required and"),
        ({"constraints": {"features_forbidden": tuple(f"f{j}" for j in range(6))}}, "leaves no feature"),
        ({"constraints": {"forbidden_pairs": (("f0", "f0"),)}}, "pairs 'f0' with itself"),
        ({"constraints": {"features_required": ("f0", "f1"), "max_features": 1}}, "2 features .*room for 1"),
        ({"constraints": {"monotone_required": {"f3": 1}}}, "'f3', which is categorical"),
        ({"constraints": {"monotone_required": {"f0": 2}}}, r"asks \+2 of 'f0'.*Allowed: \+1, -1"),
        ({"outputs": 3, "constraints": {"monotone_required": {"f0": 1}}}, "marks need one output"),
    ],
)  # fmt: skip
def test_contradictions_are_explained(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        SPACE.changed(**changes)


def test_feature_without_columns_for_an_encoding_is_named() -> None:
    poor = SpaceFeature(name="x", kind="numeric", columns={"standardised": 1}, monotone_columns={"standardised": 1})
    with pytest.raises(SpaceError, match="'x' has no columns for the encoding 'quantile'"):
        SPACE.changed(features=(SPACE.features[0], poor))


def test_a_change_is_a_new_version_with_its_own_rules() -> None:
    before = SPACE.sample(np.random.default_rng(0))
    narrow = SPACE.changed(constraints=TabularConstraints(max_features=1))
    assert (narrow.version, narrow.id == SPACE.id) == (SPACE.version + 1, False)
    sizes = {len(facts(narrow, narrow.sample(np.random.default_rng(s))).used_features) for s in range(50)}
    assert sizes == {1}
    assert SPACE.sample(np.random.default_rng(0)) == before
    assert SPACE.changed().id == SPACE.id


def test_presets_for_a_real_problem() -> None:
    from nas_core.data import Problem, load_data

    problem = Problem.create(load_data("breast_cancer"))
    rng = np.random.default_rng(0)
    for preset in ("transparent", "balanced", "accurate"):
        space = SearchSpace.for_problem(problem, preset)
        assert [f.name for f in space.features] == list(problem.feature_names)
        a = space.sample(rng, problem.hints)
        assert space.validate_architecture(a) == []
        columns = [len(problem.encoder.columns("piecewise", j)) for j in range(problem.P)]
        assert [f.columns["piecewise"] for f in space.features] == columns
    assert all(facts(space, SearchSpace.for_problem(problem, "transparent").sample(rng)).pairs == 0 for _ in range(50))
    with pytest.raises(SpaceError, match=r"no preset 'opaque'.*Allowed: transparent, balanced, accurate"):
        SearchSpace.for_problem(problem, "opaque")


SCRIPT = """
import sys, json
sys.path.insert(0, sys.argv[1])
import numpy as np
from space_examples import example_space, example_hints
space, rng, hints = example_space(12), np.random.default_rng(5), example_hints(12)
ids = [p.architecture.id for p in space.initial(30, rng, hints)]
at = space.sample(rng)
for _ in range(40):
    at, name = space.mutate(at, rng, hints)
    ids += [at.id, name, space.crossover(at, space.sample(rng), rng).id]
ids += [a.id for a, _ in zip(space.neighbours(at), range(40))]
print(json.dumps([ids, space.id]))
"""


def test_another_process_with_another_hash_seed_finds_the_same() -> None:
    here = str(__file__).rsplit("/", 1)[0]
    outputs = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, here], capture_output=True, text=True, check=True,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(p for p in sys.path if p)},
        )  # fmt: skip
        outputs.append(json.loads(done.stdout))
    assert outputs[0] == outputs[1]


def test_importing_spaces_is_light() -> None:
    heavy = ("torch", "sklearn", "pandas", "networkx", "yaml")
    code = f"import sys, nas_core.spaces; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_two_thousand_features_work() -> None:
    space, rng = example_space(2000), np.random.default_rng(0)
    hints = example_hints(2000)
    for _ in range(5):
        a = space.sample(rng, hints)
        b, _ = space.mutate(a, rng, hints)
        c = space.crossover(a, b, rng)
        assert [space.validate_architecture(x) for x in (a, b, c)] == [[], [], []]
    assert len(space.initial(18, rng, hints)) == 18
    assert len(space.encode(a)) == len(space.encode_names())


def test_ten_thousand_architectures_are_built_and_hashed_in_seconds() -> None:
    space, rng, hints = example_space(30, preset="balanced"), np.random.default_rng(0), example_hints(30)
    start = time.process_time()
    ids = {space.sample(rng, hints).id for _ in range(2000)}
    assert (time.process_time() - start) * 5 < 15
    assert len(ids) > 1800


def test_tiny_space_is_what_the_other_tests_think() -> None:
    assert tiny_space().features[2].kind == "categorical"
