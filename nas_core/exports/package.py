"""The zip of readable source: a module, its weights, example rows, what it needs, and a page that says so."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from nas_core.escaping import markdown_text
from nas_core.exports.portable import predictions_of
from nas_core.exports.source_tables import features_read

if TYPE_CHECKING:
    from nas_core.exports.portable import Check, Portable

__all__ = ["example_rows", "source_package"]

EXAMPLES = 8
MOMENT = (1980, 1, 1, 0, 0, 0)  # the same candidate gives the same bytes


def source_package(portable: Portable, facts: dict[str, Any]) -> tuple[bytes, Check]:
    """Return the zip and how far the source is from the candidate.

    Raises:
        ExportError: Farther than 1e-5.
    """
    from safetensors.torch import save

    check = portable.check
    files = {
        "model.py": portable.source.encode(),
        "weights.safetensors": save(portable.weights, {"candidate": str(facts["candidate"])}),
        "example_rows.json": json.dumps(_examples(portable), ensure_ascii=False, indent=1).encode(),
        "requirements.txt": b"torch>=2.7\nnumpy>=1.26\nsafetensors>=0.5\n",
        "README.md": _readme(portable, facts, check).encode(),
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name, MOMENT), data, zipfile.ZIP_DEFLATED)
    return archive.getvalue(), check


def example_rows(portable: Portable, raw: np.ndarray) -> list[Any]:
    """Return raw rows (n, columns) as ``predict`` of the source takes them, as JSON-able data."""
    signal = portable.problem.dataset.signal
    if signal is None:
        used = features_read(cast(Any, portable.candidate))
        specs = [portable.problem.dataset.features[j] for j in used]
        return [
            {s.name: _value(x, s.levels) for s, x in zip(specs, row)} for row in np.asarray(raw)[:, list(used)].tolist()
        ]
    made = portable.input(raw).tolist()
    return [_without_nan(row) for row in made]


def _value(x: float, levels: tuple[str, ...]) -> Any:
    if x != x:
        return None
    return levels[int(x)] if levels else x


def _without_nan(row: Any) -> Any:
    """Return nested lists with None for NaN, which JSON does not have."""
    if isinstance(row, list):
        return [_without_nan(x) for x in row]
    return None if row != row else row


def _examples(portable: Portable) -> dict[str, Any]:
    raw = portable.problem.valid.raw[:EXAMPLES]
    return {"rows": example_rows(portable, raw), "predictions": predictions_of(portable.candidate, raw).tolist()}


def _readme(portable: Portable, facts: dict[str, Any], check: Check) -> str:
    say = markdown_text
    problem = portable.problem
    out = "a value for each row, in the unit of the target"
    if problem.task == "classification":
        out = "a probability for each class: " + ", ".join(problem.dataset.classes[:20])
    return "\n".join([
        f"# {say(facts['structure'])}",
        "",
        f"Candidate {facts['number']} ({facts['candidate']}) of the NASight run {say(facts['run'])}, trained on "
        f"{say(facts['data'])} (SHA-256 {facts['data_hash']}) to predict {say(facts['target'])}.",
        "",
        "    pip install -r requirements.txt",
        "    python model.py",
        "",
        "predicts the rows in `example_rows.json` and compares with what NASight predicted.",
        "",
        f"- In: {say(portable.written.input)}; `predict` takes rows as they are in the data.",
        f"- Out: {say(out)}.",
        f"- Checked: {say(check.words)}.",
        "- `model.py` is the network written out, with the constants of its preprocessing; `weights.safetensors` holds "
        "numbers only, nothing that could be run.",
        "",
    ])  # fmt: skip
