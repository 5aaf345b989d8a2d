"""ONNX models and torch.export programs: read back by their own programs, on raw rows with text, for any batch."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from export_examples import FACTS, example, signal_candidate
from signal_examples import problem_of

from nas_core.exports.formats import CANDIDATE_FORMATS
from nas_core.exports.onnx_file import onnx_feeds, onnx_file
from nas_core.exports.portable import Portable, predictions_of
from nas_core.exports.quiet import quiet
from nas_core.exports.torch_file import torch_file

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra 'onnx' is not installed")
KINDS = ("regression", "classes", "image", "padded", "words")


@pytest.fixture(scope="module", params=KINDS)
def portable(request: pytest.FixtureRequest) -> Portable:
    return example(request.param)


def test_onnx_takes_raw_rows_in_any_number(portable: Portable) -> None:
    data, check = onnx_file(portable, FACTS)
    assert check.difference <= 1e-4
    assert check.with_.startswith("ONNX Runtime")
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    raw = portable.problem.valid.raw
    for rows in (raw[:1], raw[:7], raw):
        found = session.run(None, onnx_feeds(portable, rows))[0]
        expected = predictions_of(portable.candidate, rows)
        np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))
    kept = {k: json.loads(v) for k, v in session.get_modelmeta().custom_metadata_map.items()}
    assert kept["nasight.candidate"] == "c1"
    assert kept["nasight.check"]["largest_difference"] == check.difference
    assert set(kept["nasight.inputs"]) == {i.name for i in session.get_inputs()}
    assert all(shape[0] == "N" for shape in kept["nasight.inputs"].values())


def test_a_program_of_torch_takes_raw_rows_in_any_number(portable: Portable) -> None:
    data, check = torch_file(portable, FACTS)
    assert check.difference <= 1e-4
    told: dict[str, Any] = {"nasight.json": ""}
    with quiet("torch.export"):
        program = torch.export.load(io.BytesIO(data), extra_files=told).module()
        rows = portable.input(portable.problem.valid.raw)
        for some in (rows[:1], rows[:7], rows):
            torch.testing.assert_close(program(some), portable.module(some), atol=1e-5, rtol=1e-5)
    facts = json.loads(told["nasight.json"])
    assert facts["torch"] == torch.__version__
    assert facts["check"]["words"] == check.words


def test_categories_are_text_and_may_be_missing_or_new() -> None:
    portable = example("classes")
    session = onnxruntime.InferenceSession(onnx_file(portable, FACTS)[0], providers=["CPUExecutionProvider"])
    numbers = np.zeros((4, 4))
    found = session.run(None, {"numbers": numbers, "categories": np.array([["red"], ["blue"], ["mauve"], [""]])})[0]
    raw = np.zeros((4, 6))
    raw[:, 5] = [0, 2, -1, np.nan]
    np.testing.assert_allclose(found, predictions_of(portable.candidate, raw), atol=1e-5)


def test_words_are_text() -> None:
    portable = example("words")
    session = onnxruntime.InferenceSession(onnx_file(portable, FACTS)[0], providers=["CPUExecutionProvider"])
    texts = np.array([["word0", "word3", "nobody", "", "", "", "", ""]], dtype=object)
    ids = np.array([[2.0, 5.0, 1.0, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        session.run(None, {"words": texts})[0], predictions_of(portable.candidate, ids), atol=1e-5
    )


def test_pools_of_odd_sizes_survive() -> None:
    portable = Portable(signal_candidate(problem_of("image", side=7), "cell", cell=["avg_pool_3x3"] * 6, stages=2))
    assert onnx_file(portable, FACTS)[1].difference <= 1e-4


def test_a_missing_package_is_named_with_its_command() -> None:
    assert importlib.util.find_spec("no_such_package") is None
    lacking = replace(CANDIDATE_FORMATS["onnx"], packages=("no_such_package",))
    verdict = lacking.applies_to(None)
    assert not verdict.ok
    assert verdict.reason == "no_such_package not installed: pip install 'nasight[onnx]'"
    assert CANDIDATE_FORMATS["onnx"].applies_to(None).ok
