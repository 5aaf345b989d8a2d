"""The formats of exports, what each is for, and when it applies."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nas_core.errors import ExportError
from nas_core.records import Verdict

if TYPE_CHECKING:
    from nas_core.exports.portable import Check
    from nas_core.records import Evaluation

__all__ = ["CANDIDATE_FORMATS", "RUN_FORMATS", "ExportFile", "Format", "format_named"]


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        name: What the command line calls it.
        label: What a person reads.
        suffix: Ending of the file, with its dot.
        media: MIME type.
        description: What it is for, in a sentence or two.
        trained: Whether it needs the trained weights.
        packages: Packages it needs beside those of NASight.
        extra: The extra that brings them.
    """

    name: str
    label: str
    suffix: str
    media: str
    description: str
    trained: bool = False
    packages: tuple[str, ...] = ()
    extra: str = ""

    def installed(self) -> Verdict:
        """Return whether the packages are there, and the command that installs them."""
        missing = [name for name in self.packages if find_spec(name) is None]
        if not missing:
            return Verdict(ok=True)
        return Verdict(ok=False, reason=f"{', '.join(missing)} not installed: pip install 'nasight[{self.extra}]'")

    def applies_to(self, evaluation: Evaluation | None) -> Verdict:
        """Return whether a candidate can be exported so; of a run, with None."""
        if self.trained and evaluation is not None and evaluation.weights is None:
            return Verdict(ok=False, reason=f"The candidate has no trained weights: it is {evaluation.status.value}")
        return self.installed()


@dataclass(frozen=True)
class ExportFile:
    """A file ready to be handed out.

    Attributes:
        name: What to call it.
        data: Its bytes.
        media: MIME type.
        check: How far its predictions are from the candidate's; None where the file predicts nothing.
        notes: What to know about it, in sentences.
    """

    name: str
    data: bytes
    media: str
    check: Check | None = None
    notes: tuple[str, ...] = ()


CANDIDATE_FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("onnx", "ONNX model", ".onnx", "application/octet-stream",
               "For ONNX Runtime in any language: raw rows in, predictions out; categories and words as text.",
               True, ("onnx", "onnxscript"), "onnx"),
        Format("torch", "torch.export program", ".pt2", "application/octet-stream",
               "One file for torch.export.load, without source text; load it with the PyTorch it was made with.",
               True),
        Format("source", "PyTorch source", ".zip", "application/zip",
               "A readable Python file with its weights, example rows and a README; needs PyTorch, nothing of NASight.",
               True),
        Format("json", "JSON", ".json", "application/json",
               "Architecture, evaluation, problem and settings as data."),
        Format("card", "Model card", ".md", "text/markdown",
               "What it is, how good, how sure, and what to be careful about, for people (Markdown)."),
        Format("card-html", "Model card (HTML)", ".html", "text/html",
               "The model card as one page for a browser."),
    )
}  # fmt: skip
"""Formats of one candidate by name."""

RUN_FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("csv", "CSV table", ".csv", "text/csv", "A row for each candidate, for spreadsheets."),
        Format("parquet", "Parquet table", ".parquet", "application/vnd.apache.parquet",
               "The same rows with their types, for pandas, DuckDB or R."),
        Format("json", "JSON", ".json", "application/json",
               "Everything about the run as data."),
        Format("optuna", "Optuna storage", ".db", "application/vnd.sqlite3",
               "A study of all candidates: optuna-dashboard sqlite:///FILE."),
    )
}  # fmt: skip
"""Formats of a run by name."""


def format_named(name: str, formats: dict[str, Format]) -> Format:
    """Return one of ``formats``.

    Raises:
        ExportError: There is none of this name.
    """
    if name not in formats:
        raise ExportError(
            f"There is no export format {name!r} here", allowed=", ".join(formats), fix="choose one of them"
        )
    return formats[name]
