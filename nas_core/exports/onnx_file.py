"""A candidate as an ONNX model, with categories and words as text, checked by another implementation than PyTorch's."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from nas_core.errors import ExportError
from nas_core.exports.formats import CANDIDATE_FORMATS
from nas_core.exports.quiet import quiet
from nas_core.exports.source_tables import features_read

if TYPE_CHECKING:
    from nas_core.exports.portable import Check, Portable

__all__ = ["onnx_feeds", "onnx_file"]

TEXT_CODES = 3  # version of ai.onnx.ml
SLOW_ROWS = 200  # for onnx's reference evaluator, which is written in Python


def onnx_file(portable: Portable, facts: dict[str, Any]) -> tuple[bytes, Check]:
    """Return the model, with ``facts`` and its check in its metadata, after running it and comparing.

    Inputs: ``rows`` for a table of numbers; ``numbers`` and ``categories`` (text, empty = missing) where there are
    categories; ``images``, ``series``, or ``words`` (text, empty = padding). All take any number of rows.

    Raises:
        ExportError: The packages are missing, or its predictions differ by more than 1e-4.
    """
    if not (there := CANDIDATE_FORMATS["onnx"].installed()).ok:
        raise ExportError("ONNX needs packages that are missing", allowed=there.reason, fix="install them")
    import onnx

    model = _converted(portable)
    _with_text(model, portable)
    inputs = {i.name: _shape(i) for i in model.graph.input}
    onnx.checker.check_model(model)
    check = _checked(model, portable)
    told = {**facts, "inputs": inputs, "check": check.document(), **_names(portable)}
    for key, value in told.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = f"nasight.{key}", json.dumps(value, ensure_ascii=False)
    model.doc_string = check.words
    return model.SerializeToString(), check


def _converted(portable: Portable) -> Any:
    """Return what torch.onnx makes of the module, its input and output named."""
    import torch

    name, _, _ = portable.written.input.partition(":")
    output = "prediction" if portable.problem.task == "regression" else "probabilities"
    with quiet("ONNX"):
        program = torch.onnx.export(
            portable.module, (portable.input(portable.checked_raw[:3]),), dynamo=True, verbose=False,
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},), input_names=[name], output_names=[output],
        )  # fmt: skip
    assert program is not None  # None is returned where a path is given
    model = program.model_proto
    model.producer_name, model.graph.name = "NASight", "network"
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    return model


def _with_text(model: Any, portable: Portable) -> None:
    """Put in front of a model what turns text into codes, where there are categories or words."""
    from onnx import helper

    signal = portable.problem.dataset.signal
    if signal is not None and signal.vocabulary:
        keys = [*signal.words[2:], ""]
        codes = [*range(2, len(signal.words)), 0]
        node = _encoder("words_text", "words", keys, codes, whole=True)
        _renamed_input(model, "words", "words_ids")
        node.input[0], node.output[0] = "words", "words_ids"
        _prepend(model, [node], [helper.make_tensor_value_info("words", TEXT, ["N", signal.shape[-1]])])
    elif signal is None:
        specs = _read(portable)
        if any(s.kind == "categorical" for s in specs):
            nodes, inputs = _columns(specs)
            _prepend(model, nodes, inputs)


TEXT = 8  # onnx.TensorProto.STRING
DOUBLE = 11  # onnx.TensorProto.DOUBLE


def _columns(specs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the nodes that make ``rows`` of ``numbers`` and ``categories``, and these inputs."""
    from onnx import helper

    nodes, columns, counts = [], [], {"numeric": 0, "categorical": 0}
    for at, spec in enumerate(specs):
        source = "numbers" if spec.kind == "numeric" else "categories"
        place = helper.make_node(
            "Constant", [], [f"place_{at}"], value=helper.make_tensor(f"place_{at}", 7, [1], [counts[spec.kind]])
        )
        taken = helper.make_node("Gather", [source, f"place_{at}"], [f"taken_{at}"], axis=1)
        nodes += [place, taken]
        counts[spec.kind] += 1
        if spec.kind == "numeric":
            columns.append(f"taken_{at}")
            continue
        keys, codes = list(spec.levels), [float(code) for code in range(len(spec.levels))]
        if "" not in keys:
            keys, codes = [*keys, ""], [*codes, float("nan")]
        nodes.append(_encoder(f"taken_{at}", f"code_{at}", keys, codes, whole=False))
        nodes.append(helper.make_node("Cast", [f"code_{at}"], [f"column_{at}"], to=DOUBLE))
        columns.append(f"column_{at}")
    nodes.append(helper.make_node("Concat", columns, ["rows"], axis=1))
    inputs = [
        helper.make_tensor_value_info(name, kind, ["N", counts[of]])
        for name, kind, of in (("numbers", DOUBLE, "numeric"), ("categories", TEXT, "categorical"))
        if counts[of]
    ]
    return nodes, inputs


def _encoder(source: str, target: str, keys: list[str], codes: list[Any], *, whole: bool) -> Any:
    """Return a node from text to codes; a category not known is -1, a word not known 1."""
    from onnx import helper

    values: dict[str, Any] = (
        {"values_int64s": codes, "default_int64": 1} if whole else {"values_floats": codes, "default_float": -1.0}
    )
    return helper.make_node("LabelEncoder", [source], [target], domain="ai.onnx.ml", keys_strings=keys, **values)


def _renamed_input(model: Any, old: str, new: str) -> None:
    """Let the nodes of a model read ``new`` where they read ``old``."""
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            if name == old:
                node.input[at] = new


def _prepend(model: Any, nodes: list[Any], inputs: list[Any]) -> None:
    from onnx import helper

    rest = list(model.graph.node)
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend([*nodes, *rest])
    model.graph.input.extend(inputs)
    model.opset_import.append(helper.make_opsetid("ai.onnx.ml", TEXT_CODES))


def _read(portable: Portable) -> list[Any]:
    """Return the specifications of the features that the model reads."""
    candidate: Any = portable.candidate
    return [portable.problem.dataset.features[j] for j in features_read(candidate)]


def _names(portable: Portable) -> dict[str, Any]:
    """Return what the columns of the inputs are, in their order."""
    if portable.problem.dataset.signal is not None:
        return {}
    specs = _read(portable)
    if not any(s.kind == "categorical" for s in specs):
        return {"rows": [s.name for s in specs]}
    return {
        "numbers": [s.name for s in specs if s.kind == "numeric"],
        "categories": {s.name: list(s.levels) for s in specs if s.kind == "categorical"},
    }


def onnx_feeds(portable: Portable, raw: np.ndarray) -> dict[str, np.ndarray]:
    """Return raw rows (n, columns) as the model takes them, by the names of its inputs."""
    signal = portable.problem.dataset.signal
    made = portable.input(raw).numpy()
    if signal is not None:
        if not signal.vocabulary:
            return {portable.written.input.partition(":")[0]: made}
        words = np.array(["", "\ufffd", *signal.words[2:]], dtype=object)  # a text without any word of the vocabulary
        return {"words": words[made]}
    specs = _read(portable)
    if not any(s.kind == "categorical" for s in specs):
        return {"rows": made}
    feeds: dict[str, np.ndarray] = {}
    numeric = [at for at, s in enumerate(specs) if s.kind == "numeric"]
    if numeric:
        feeds["numbers"] = made[:, numeric]
    text = [_texts(made[:, at], s.levels) for at, s in enumerate(specs) if s.kind == "categorical"]
    return {**feeds, "categories": np.stack(text, axis=1)}


def _texts(codes: np.ndarray, levels: tuple[str, ...]) -> np.ndarray:
    return np.array(["" if code != code else levels[int(code)] for code in codes], dtype=object)


def _shape(value: Any) -> list[Any]:
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


def _checked(model: Any, portable: Portable) -> Check:
    """Run the model on the validation rows: by ONNX Runtime, else by onnx's own slow evaluator."""
    feeds = onnx_feeds(portable, portable.checked_raw)
    if find_spec("onnxruntime") is not None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return portable.compared(session.run(None, feeds)[0], f"ONNX Runtime {onnxruntime.__version__}")
    import onnx
    from onnx.reference import ReferenceEvaluator

    few = {name: values[:SLOW_ROWS] for name, values in feeds.items()}
    found: Any = ReferenceEvaluator(model).run(None, few)
    return portable.compared(found[0], f"reference evaluator of onnx {onnx.__version__}")
