"""The model card of a candidate, after Mitchell et al. (2019), arXiv 1810.03993: facts, and room for a person's words.

A card is sections of plain text; the Markdown and the HTML of it are made from the same ones, and each escapes all of
them, so no name of a feature or a class can be markup.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nas_core.data.card import data_card
from nas_core.escaping import markdown_text
from nas_core.exports.facts import reproduction, version
from nas_core.interpretability import MEASURES
from nas_core.objectives import recorded_objective

if TYPE_CHECKING:
    from nas_core.data.problem import Problem
    from nas_core.records import Evaluation, Measurement, RunRecord
    from nas_core.spaces.space import SearchSpace

__all__ = ["Card", "Section", "card_html", "card_markdown", "model_card"]

TO_WRITE = "(To be written by the person who uses the model: "


@dataclass
class Section:
    """A heading, paragraphs, items, a table with its header first, and a line of code; all plain text."""

    title: str
    paragraphs: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    table: list[Sequence[str]] = field(default_factory=list)
    code: str = ""


@dataclass
class Card:
    """A title and sections."""

    title: str
    sections: list[Section]


def model_card(
    evaluation: Evaluation,
    record: RunRecord,
    space: SearchSpace,
    problem: Problem,
    trust: dict[str, Any] | None = None,
) -> Card:
    """Return the card of a candidate.

    Args:
        evaluation: The candidate.
        record: Its run.
        space: The version of the space that it was proposed in.
        problem: The run's problem.
        trust: What :func:`nas_core.runs.auditing.audit_candidate` found; None where nobody looked.
    """
    return Card(
        f"Model card: candidate {evaluation.index} of {record.name or record.id}",
        [
            _model(evaluation, record, space),
            Section("Intended use", [TO_WRITE + "for what and for whom it is meant, and for what it is not.)"]),
            _data(problem),
            _performance(evaluation, record, problem),
            _measures(evaluation),
            _trust(evaluation, problem, trust),
            _training(evaluation, problem, space),
            _limitations(evaluation, problem),
            Section("Ethical considerations", [TO_WRITE + "who is affected by its mistakes, and how.)"]),
            _reproduction(evaluation, record),
        ],
    )  # fmt: skip


def _model(e: Evaluation, record: RunRecord, space: SearchSpace) -> Section:
    made = datetime.fromtimestamp(e.finished, UTC).strftime("%Y-%m-%d") if e.finished else "unknown"
    items = [
        f"Structure: {space.engine.describe(space, e.architecture.values)}",
        f"Family: {e.architecture.family} networks of NASight {version()}",
        f"Identity: {e.id}, candidate {e.index} of the run {record.id}",
        f"Evaluated on: {made} (UTC); status: {e.status.value}{f', {e.reason}' if e.reason else ''}",
        f"Origin: {e.origin}, {e.operator}" + (f"; parents {', '.join(e.parents)}" if e.parents else ""),
        f"Cost: {e.cost.parameters:,} parameters, {e.cost.operations:,} operations for one prediction",
    ]
    return Section("Model", items=items)


def _data(problem: Problem) -> Section:
    card = data_card(problem)
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in card.kinds.items() if count)
    items = [
        f"{card.name}: {card.rows:,} rows, {kinds}; source: {card.source}; licence: {card.licence}",
        f"Predicted: {card.target} ({card.task})",
        f"Split: {card.split}, seed {card.seed}",
        f"SHA-256 of the content: {card.data_hash}",
    ]
    if card.quantity is not None:
        q = card.quantity
        items.append(f"Target: from {q.low:.6g} to {q.high:.6g}, mean {q.mean:.6g}; trained on {q.trained_on}")
    items += [f"Class {c.name}: {c.rows:,} rows ({c.rows / card.rows:.1%})" for c in card.classes[:20]]
    items += [f"Note: {note}" for note in card.notes]
    rows: list[Sequence[str]] = [("part", "rows", "read by the search")]
    return Section("Data", items=items, table=rows + [(p.name, f"{p.rows:,}", f"{p.used:,}") for p in card.parts])


def _performance(e: Evaluation, record: RunRecord, problem: Problem) -> Section:
    objective = recorded_objective(record.problem)
    rows: list[Sequence[str]] = [("metric", "value", "95 % interval")]
    if e.performance is not None:
        p = e.performance
        rows.append((objective.label, f"{p.value:.4g}", f"{p.low:.4g} to {p.high:.4g}"))
    if e.skill is not None:
        rows.append(("Skill (0 = ignoring the inputs, 1 = perfect)", f"{e.skill.value:.3g}",
                     f"{e.skill.low:.3g} to {e.skill.high:.3g}"))  # fmt: skip
    rows += [(name, f"{value:.4g}", "") for name, value in e.metrics.items()]
    said = [f"{objective.label}: {objective.description}"]
    if record.baseline is not None:
        said.append(f"A model that ignores its inputs reaches {record.baseline:.4g}.")
    said.append(
        f"On the {len(problem.valid):,} validation rows on which candidates were compared. The best of many is a "
        "little better there than on new rows; the test part was not opened for this card."
    )
    return Section("Performance", said, table=rows)


def _measures(e: Evaluation) -> Section:
    rows: list[Sequence[str]] = [("measure", "score (1 = interpretable)", "95 % interval", "quantity")]
    items = []
    for name, m in e.measures.items():
        known = MEASURES.get(name)
        label = known.label if known else name
        rows.append((label, *_measured(m)))
        if known:
            source = " ".join(
                known.description.partition("Source:")[2].partition("Differs:")[0].partition("Costs:")[0].split()
            )
            items.append(f"{label}: {known.summary}" + (f" Source: {source}" if source else ""))
    said = ["Scores are properties of this network on these data, not of what people understand; no user was asked."]
    return Section("Interpretability", said, items, rows)


def _measured(m: Measurement) -> tuple[str, str, str]:
    if m.value is None:
        return "undefined", "", m.reason or ""
    exact = m.low is None or m.high is None or m.low == m.high
    between = "exact" if exact else f"{m.low:.3g} to {m.high:.3g}"
    return f"{m.value:.3g}", between, "" if m.raw is None else f"{m.raw:.4g}"


def _trust(e: Evaluation, problem: Problem, trust: dict[str, Any] | None) -> Section:
    if trust is None:
        return Section("Trust checks", ["None was made for this card."])
    items = [f"{g.label}: {'passed' if g.ok else 'cannot tell' if g.ok is None else 'FAILED'}. {g.words}"
             for g in trust.get("guards", ())]  # fmt: skip
    if (groups := trust.get("subgroups")) is not None:
        items.append(f"Subgroups: {groups.words or groups.reason}")
        if groups.worst is not None:
            worst = groups.worst
            items.append(f"Lowest skill: {worst.name} ({worst.rows:,} rows): {worst.skill.value:.3g}, "
                         f"95 % interval {worst.skill.low:.3g} to {worst.skill.high:.3g}")  # fmt: skip
    left = "Not done for this card: training with other seeds, and the test part; `nasight audit` does both."
    return Section("Trust checks", [left], items)


def _training(e: Evaluation, problem: Problem, space: SearchSpace) -> Section:
    recipe, values = problem.spec.recipe, e.architecture.values
    names = ("optimiser", "learning_rate", "weight_decay", "dropout", "normalisation", "activation", "encoding")
    items = [f"{name.replace('_', ' ')}: {values[name]}" for name in names if name in values]
    items += [
        f"at most {recipe.max_epochs} epochs, batches of {recipe.batch_size} rows, early stop on the validation loss",
        f"seed {e.seed}; "
        + (f"began from the weights of {e.inherited}" if e.inherited else "began from its own initial weights"),
        f"class weights: {problem.spec.class_weights}; transform of the target: {problem.spec.target_transform}",
    ]
    for name in ("train_loss", "valid_loss"):
        if curve := e.curves.get(name):
            words = name.replace("_", " ")
            items.append(
                f"{words}: {curve[0]:.4g} after the first epoch, {min(curve):.4g} at best, {len(curve)} epochs"
            )
    return Section("Training", items=items)


def _limitations(e: Evaluation, problem: Problem) -> Section:
    items = [
        "It describes associations in these data; nothing here says that changing an input changes the outcome.",
        "Rows unlike the training rows are outside of what was checked; encoded numbers are held within their range.",
        "Intervals cover the choice of validation rows, not the choice of data, of the search or of the training seed.",
    ]
    if problem.dataset.features and any(f.missing for f in problem.dataset.features):
        items.append(
            "Missing values are replaced by the training median or the commonest category, and marked as such."
        )
    if e.skill is not None and e.skill.low <= 0:
        items.append("On the validation rows it is not clearly better than a model that ignores its inputs.")
    items.append(TO_WRITE + "what else is known to go wrong.)")
    return Section("Limitations", items=items)


def _reproduction(e: Evaluation, record: RunRecord) -> Section:
    items = [f"Architecture: {e.id}", f"Data: {record.data_hash}"]
    if e.weights is not None:
        items.append(f"Weights, SHA-256 of the file that holds them: {e.weights.sha256}")
    return Section(
        "Reproduction",
        ["The same search, on the same data; edits made while it ran are in the run's JSON, not in the command."],
        items, code=reproduction(record),
    )  # fmt: skip


def card_markdown(card: Card) -> str:
    """Return a card as Markdown."""
    say = markdown_text
    lines = [f"# {say(card.title)}", ""]
    for section in card.sections:
        lines += [f"## {say(section.title)}", ""]
        for paragraph in section.paragraphs:
            lines += [say(paragraph), ""]
        lines += [f"- {say(item)}" for item in section.items] + ([""] if section.items else [])
        if section.table:
            header, *rows = section.table
            lines += [_row(header), _row(["---"] * len(header), raw=True), *(_row(r) for r in rows), ""]
        if section.code:
            fence = "`" * 4
            lines += [fence, " ".join(section.code.replace("`", "'").splitlines()), fence, ""]
    return "\n".join(lines)


def _row(cells: Sequence[str], *, raw: bool = False) -> str:
    return "| " + " | ".join(c if raw else markdown_text(c) for c in cells) + " |"


STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1f2937;"
    "background:#fff}h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem;border-bottom:1px solid #d1d5db}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:.25rem .75rem;"
    "border-bottom:1px solid #e5e7eb}code{display:block;padding:.75rem;background:#f3f4f6;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{color:#e5e7eb;background:#111827}code{background:#1f2937}"
    "th,td,h2{border-color:#374151}}"
)


def card_html(card: Card) -> str:
    """Return a card as one HTML page that loads nothing."""
    say = html.escape
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{say(card.title)}</title><style>{STYLE}</style></head><body><h1>{say(card.title)}</h1>",
    ]
    for section in card.sections:
        parts.append(f"<h2>{say(section.title)}</h2>")
        parts += [f"<p>{say(p)}</p>" for p in section.paragraphs]
        if section.items:
            parts.append("<ul>" + "".join(f"<li>{say(i)}</li>" for i in section.items) + "</ul>")
        if section.table:
            header, *rows = section.table
            head = "".join(f'<th scope="col">{say(c)}</th>' for c in header)
            body = "".join("<tr>" + "".join(f"<td>{say(c)}</td>" for c in row) + "</tr>" for row in rows)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        if section.code:
            parts.append(f"<code>{say(section.code)}</code>")
    return "\n".join([*parts, "</body></html>", ""])
