"""Readable source: it predicts what the candidate does, in a process without NASight, whatever things are called."""

from __future__ import annotations

import ast
import io
import itertools
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from export_examples import FACTS, example, named_problem, signal_candidate, table_candidate
from hypothesis import given, settings
from hypothesis import strategies as st
from signal_examples import problem_of
from toy_candidates import made_problem

from nas_core.data import Problem
from nas_core.errors import ExportError
from nas_core.exports.package import example_rows, source_package
from nas_core.exports.portable import Portable, predictions_of

KINDS = ("binary", "classes", "regression", "image", "cell", "series", "padded", "words")
SCRIPT = """
import importlib.util, json, sys
from pathlib import Path

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("nas_core", "dashboard"):
            raise ImportError(name)

sys.meta_path.insert(0, Refusing())
try:
    import nas_core
    raise SystemExit("nas_core could be imported")
except ImportError:
    pass
found = {}
for folder in map(Path, sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(f"model_{folder.name}", folder / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load(folder / "weights.safetensors")
    found[folder.name] = module.predict(json.loads((folder / "rows.json").read_text()), model).tolist()
assert not any(name.split(".")[0] == "nas_core" for name in sys.modules)
print(json.dumps(found))
"""


def test_every_family_predicts_the_same_without_nasight(tmp_path: Path) -> None:
    made = {kind: example(kind) for kind in KINDS}
    for kind, portable in made.items():
        data, check = source_package(portable, FACTS)
        assert check.difference <= 1e-5
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            assert {"model.py", "weights.safetensors", "README.md", "example_rows.json", "requirements.txt"} == set(
                packed.namelist()
            )
            packed.extractall(tmp_path / kind)
        rows = example_rows(portable, portable.problem.valid.raw)
        (tmp_path / kind / "rows.json").write_text(json.dumps(rows, allow_nan=False))
    command = [sys.executable, "-c", SCRIPT, *(str(tmp_path / kind) for kind in KINDS)]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=240)
    assert ended.returncode == 0, ended.stderr
    for kind, found in json.loads(ended.stdout).items():
        expected = predictions_of(made[kind].candidate, made[kind].problem.valid.raw)
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(np.array(found) / scale, expected / scale, atol=1e-5)


def test_the_demo_compares_with_nasight(tmp_path: Path) -> None:
    data, _ = source_package(example("regression"), FACTS)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        packed.extractall(tmp_path)
    ended = subprocess.run(
        [sys.executable, "model.py"], capture_output=True, text=True, cwd=tmp_path, timeout=240, check=True
    )
    assert ended.stdout.count("row ") == 8
    assert float(ended.stdout.rsplit(":", 1)[1]) < 1e-3  # in the unit of the target, whose values are around 40


@pytest.mark.parametrize("encoding", ["standardised", "quantile", "piecewise", "periodic"])
@pytest.mark.parametrize("connections", ["full", "sparse", "residual", "dense"])
@pytest.mark.parametrize("normalisation", ["none", "batch", "layer"])
def test_every_kind_of_group_network(encoding: str, connections: str, normalisation: str) -> None:
    problem, marks = made_problem("classes"), {"0": 1, "2": -1}
    drawn = {"encoding": encoding, "connections": connections, "normalisation": normalisation, "depth": 3}
    marked = {} if normalisation == "layer" else {"marks": marks}
    for activation in ("gelu", "softplus") if normalisation == "none" else ("relu",):
        candidate = table_candidate(problem, (0, 1), (2,), (3, 5), activation=activation, **marked, **drawn)
        assert Portable(candidate).check.difference <= 1e-5


@pytest.mark.parametrize("transform", ["none", "log1p", "yeo_johnson", "quantile"])
def test_predictions_are_in_the_unit_of_the_target(transform: Any) -> None:
    problem = Problem.create(made_problem("regression").dataset, target_transform=transform)
    portable = Portable(table_candidate(problem, (0,), (1, 2), linear=True))
    low, high = problem.dataset.y.min(), problem.dataset.y.max()
    assert portable.check.unit == "target_sd"
    assert ((portable.expected > low - 3 * (high - low)) & (portable.expected < high + 3 * (high - low))).all()


def test_odd_rows_are_encoded_as_in_training() -> None:
    portable = example("classes")
    raw = portable.problem.valid.raw[:6].copy()
    raw[0] = np.nan
    raw[1, :5], raw[2, :5] = 1e9, -1e9
    raw[3, 5] = np.nan
    found = portable.module(portable.input(raw)).numpy()
    np.testing.assert_allclose(found, predictions_of(portable.candidate, raw), atol=1e-5)


def test_a_network_without_inputs_is_a_constant() -> None:
    problem = problem_of("image", classes=2)
    found = Portable(signal_candidate(problem, "cell", cell=["none"] * 6))
    assert found.check.difference <= 1e-5
    assert np.ptp(found.expected[:, 0]) == 0


@pytest.mark.parametrize("pooling", ["mean", "sum", "last", "max", "attention", "flat"])
@pytest.mark.parametrize("kind", ["series", "padded", "words"])
def test_every_pooling_and_layer_of_sequences(pooling: str, kind: str) -> None:
    layers = [
        {"kind": "attention", "width": 8, "heads": 2}, {"kind": "lstm", "width": 8, "both": False},
        {"kind": "conv", "width": 8, "kernel": 3, "dilation": 2},
    ]  # fmt: skip
    for normalisation, connections in (("batch", "residual"), ("layer", "plain"), ("none", "residual")):
        values = {"pooling": pooling, "layers": layers, "normalisation": normalisation, "connections": connections}
        assert Portable(signal_candidate(problem_of(kind), **values)).check.difference <= 1e-5


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("family", ["image", "cell"])
def test_drawn_networks_of_images(family: str, seed: int) -> None:
    assert Portable(signal_candidate(problem_of("image", side=7), family, seed)).check.difference <= 1e-5


def test_a_file_that_predicts_something_else_is_refused() -> None:
    portable = example("binary")
    with pytest.raises(ExportError, match="does not predict what the candidate does"):
        portable.compared(portable.expected + 2e-4, "another program")
    with pytest.raises(ExportError, match="does not predict"):
        portable.compared(np.full_like(portable.expected, np.nan), "another program")


def shape_of(source: str) -> str:
    """Return the syntax of a source text with every text in it left out."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = "text"
    return ast.dump(tree)


HOSTILE = (
    "'; import os; os.abort() #", '"""\nimport os\nos.abort()\n"""', "a\nraise SystemExit", "a\r\nraise SystemExit",
    "\\", "\\'", "{x}", "{{}}", "\x00", "\u2028raise", "\u202egnp.exe", "# -*- coding: utf-7 -*-", "价格", "<script>",
    "%s", "\x0craise SystemExit", "'" * 3, "\\N{BULLET}",
)  # fmt: skip
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12))


@settings(max_examples=25, deadline=None)
@given(
    names=st.lists(hostile, min_size=3, max_size=3, unique=True),
    levels=st.lists(hostile, min_size=2, max_size=2, unique=True),
    classes=st.lists(hostile, min_size=2, max_size=2, unique=True),
    target=hostile,
)
def test_no_name_becomes_code(names: list[str], levels: list[str], classes: list[str], target: str) -> None:
    harmless = Portable(table_candidate(named_problem(["a", "b", "c"], ["d", "e"], ["f", "g"], "h"), (0, 2), (1,)))
    problem = named_problem(names, levels, classes, target)
    # the same network under other names: what is drawn in its architecture's name is the same
    found = Portable(table_candidate(problem, (0, 2), (1,)))
    assert shape_of(found.source) == shape_of(harmless.source)
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(found.source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }  # fmt: skip
    assert constants["FEATURES"] == names
    assert constants["CATEGORIES"] == {names[2]: levels}
    assert (constants["CLASSES"], constants["TARGET"]) == (classes, target)
    assert found.check.difference <= 1e-5


def test_hostile_words_stay_words() -> None:
    portable = example("words")
    signal = portable.problem.dataset.signal
    assert signal is not None
    for word in HOSTILE:
        changed = signal.model_copy(update={"words": ("", "?", word, *signal.words[3:])})
        object.__setattr__(portable.problem.dataset, "signal", changed)
        portable.candidate.signal = changed
        assert shape_of(Portable(portable.candidate).source) == shape_of(portable.source)


def test_weights_are_numbers_only() -> None:
    data, _ = source_package(example("binary"), FACTS)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        source = packed.read("model.py").decode()
    imported = {a.name.split(".")[0] for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Import) for a in n.names}
    imported |= {str(n.module).split(".")[0] for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)}
    allowed = {"__future__", "collections", "json", "math", "re", "pathlib", "typing", "numpy", "torch", "safetensors"}
    assert imported <= allowed
    assert not any(word in source for word in ("pickle", "torch.load", "eval(compile", "exec("))
    assert data == source_package(example("binary"), FACTS)[0]


def test_contributions_add_up_to_the_output() -> None:
    portable = example("regression")
    model: Any = portable.module
    rows = portable.input(portable.problem.valid.raw)
    columns = torch.cat([feature(rows[:, at]) for at, feature in enumerate(model.features)], dim=1)
    parts = model.network.contributions(columns)
    assert len(parts) == 3
    total = model.network.bias + torch.stack(parts).sum(0)
    torch.testing.assert_close(total, model.network(columns))


def test_rows_are_taken_as_a_person_has_them() -> None:
    namespace: dict[str, Any] = {"__name__": "exported", "__file__": "model.py"}
    portable = example("classes")
    exec(compile(portable.source, "model.py", "exec"), namespace)
    names = namespace["FEATURES"]
    row = dict(zip(names, [0.5, "1.5", -1, None, "green"]))
    as_list = [0.5, 1.5, -1.0, float("nan"), "green"]
    predict = namespace["predict"]
    one, other = predict([{**row, "unused": "x"}], portable.module), predict([as_list], portable.module)
    np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="a row has 2 values; needed are 5"):
        predict([[1.0, 2.0]], portable.module)
    changed = [predict([[*as_list[:4], colour]], portable.module)[0] for colour in ("red", "green", "never seen")]
    assert all(np.abs(a - b).max() > 0 for a, b in itertools.combinations(changed, 2))
