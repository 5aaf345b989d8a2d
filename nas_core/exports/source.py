"""A candidate as one Python file that needs PyTorch and safetensors, and nothing of NASight."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from nas_core.exports.pieces import columns as column_pieces
from nas_core.exports.source_maps import write_images
from nas_core.exports.source_steps import write_steps
from nas_core.exports.source_tables import two_knots, write_table
from nas_core.exports.writing import Written, copied, literal, numbers

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.explanations.base import Candidate
    from nas_core.explanations.candidate import TrainedCandidate
    from nas_core.explanations.signal_candidate import SignalCandidate

__all__ = ["source_text", "written_of"]

HEAD = '''"""A neural network found by NASight, written out as plain PyTorch.

Needs Python 3.11, torch, numpy and safetensors. Raw rows go in: what the training data went through is part of Model.

    from model import load, predict
    predict(rows, load("weights.safetensors"))

`python model.py` predicts the rows in example_rows.json and compares with what NASight predicted for them.
"""
'''

TAIL = '''
def load(path: str | Path = Path(__file__).with_name("weights.safetensors")) -> Model:
    """Return the trained model."""
    model = Model()
    model.load_state_dict(load_file(str(path)))
    return model.eval()


def predict(rows: Any, model: Model | None = None) -> np.ndarray:
    """Return {returns}

    Args:
        rows: {takes}
        model: What load() returned; the weights beside this file when None.
    """
    with torch.inference_mode():
        answers: np.ndarray = (model or load())({rows}).numpy()
    return answers


if __name__ == "__main__":
    example = json.loads(Path(__file__).with_name("example_rows.json").read_text(encoding="utf-8"))
    found = predict(example["rows"])
    for number, answer in enumerate(found, start=1):
        print(f"row {{number}}: {{np.round(answer, 6).tolist()}}")
    print(f"largest difference to NASight: {{np.abs(found - np.array(example['predictions'])).max():.1e}}")
'''

TAKES = {
    "table_rows": "mappings by feature name (more keys do no harm), or lists in the order of FEATURES; a category is "
    "its name,\n            a missing value None, NaN or an empty text.",
    "image_rows": "(N, channels, height, width) values as in the data, or flattened ones.",
    "series_rows": "series of (channels, steps) values as in the data, shorter ones where lengths differ.",
    "text_rows": "texts, or lists of word ids.",
}


def written_of(candidate: Candidate) -> Written:
    """Return the network of a candidate and what makes its input, as source text and weights."""
    if candidate.problem.dataset.signal is None:
        return write_table(cast("TrainedCandidate", candidate))
    if candidate.problem.dataset.signal.modality == "image":
        return write_images(cast("SignalCandidate", candidate))
    return write_steps(cast("SignalCandidate", candidate))


def source_text(candidate: Candidate, written: Written) -> str:
    """Return the source file of a candidate.

    ``Model`` takes raw rows as a tensor and returns probabilities (N, classes) or predictions (N,) in the unit of the
    target; ``load`` reads the weights and ``predict`` takes rows as a person has them.
    """
    problem = candidate.problem
    reading, answer = list(written.reading), _answer(problem)
    if problem.task == "regression":
        reading.append(f"self.target = {_target(problem, written)}")
    parts = (copied(written.pieces), *written.classes, _model(written, reading, answer), _tail(problem, written))
    body = "\n\n\n".join(part.rstrip() for part in parts)
    return "\n\n".join([HEAD + "\n" + _imports(body), _constants(problem, written) + "\n", body]) + "\n"


def _imports(body: str) -> str:
    """Return the imports that a body needs, those of the standard library first."""
    standard = ["json"] + [name for name in ("math", "re") if re.search(rf"\b{name}\.", body)]
    abstract = [name for name in ("Mapping", "Sequence") if re.search(rf"\b{name}\b", body)]
    lines = [f"import {name}" for name in standard]
    lines += [f"from collections.abc import {', '.join(abstract)}"] if abstract else []
    lines += ["from pathlib import Path", "from typing import Any", "", "import numpy as np", "import torch"]
    lines += ["from safetensors.torch import load_file", "from torch import Tensor, nn"]
    return "from __future__ import annotations\n\n" + "\n".join(lines)


def _constants(problem: Problem, written: Written) -> str:
    found = [("DATA", literal(problem.dataset.name)), ("TARGET", literal(problem.dataset.target))]
    if problem.task == "classification":
        found.append(("CLASSES", literal(list(problem.dataset.classes))))
    return "\n".join(f"{name} = {value}" for name, value in [*found, *written.constants])


def _model(written: Written, reading: list[str], answer: list[str]) -> str:
    return (
        f'class Model(nn.Module):\n    """{written.input}; see ``forward``."""\n\n'
        "    def __init__(self) -> None:\n        super().__init__()\n"
        + "".join(f"        {line}\n" for line in [*reading, "self.network = Network()"])
        + "\n    def forward(self, rows: Tensor) -> Tensor:\n"
        + f'        """Return {"probabilities (N, classes)" if len(answer) > 1 else "predictions (N,)"}."""\n'
        + "".join(f"        {line}\n" for line in [*written.forward, "outputs = self.network(columns)", *answer])
    )


def _answer(problem: Problem) -> list[str]:
    """Return the lines that make predictions of the network's outputs (N, C)."""
    if problem.task == "regression":
        return ["return self.target(outputs)"]
    if problem.C == 1:
        return ["positive = torch.sigmoid(outputs)", "return torch.cat([1.0 - positive, positive], dim=1)"]
    return ["probabilities = torch.softmax(outputs, dim=1)", "return probabilities"]


def _target(problem: Problem, written: Written) -> str:
    """Return what brings outputs into the unit of the target."""
    scale = problem.target_scale
    transform = scale.transform
    own = f"mean={literal(scale.mean)}, sd={literal(scale.sd)}"
    if transform.name == "none":
        written.need(column_pieces.PlainTarget)
        return f"PlainTarget({own})"
    if transform.name == "quantile":
        assert transform.scores is not None  # the transform was fitted
        assert transform.values is not None
        written.need(column_pieces.Interpolation, column_pieces.QuantileTarget)
        scores, values = two_knots(transform.scores.tolist(), transform.values.tolist())
        return f"QuantileTarget({own}, scores={numbers(scores)}, values={numbers(values)})"
    ends: Any = transform.forward(_pair(transform.low, transform.high))
    limits = f"{own}, ends={numbers(ends)}, low={literal(transform.low)}, high={literal(transform.high)}"
    if transform.name == "log1p":
        written.need(column_pieces.LogTarget)
        return f"LogTarget({limits})"
    written.need(column_pieces.PowerTarget)
    return f"PowerTarget({limits}, power={literal(float(transform.power))})"


def _pair(low: float, high: float) -> Any:
    import numpy as np

    return np.array([low, high])


def _tail(problem: Problem, written: Written) -> str:
    returns = "predictions (N,) in the unit of TARGET."
    if problem.task == "classification":
        returns = "probabilities (N, classes), in the order of CLASSES."
    takes = TAKES[written.rows.split("(")[0]]
    return TAIL.format(returns=returns, takes=takes, rows=written.rows).lstrip()
