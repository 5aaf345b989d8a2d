"""A decision record as Markdown, as a part of an HTML page, and as a page of its own that prints well.

What people typed (names, reasons, columns) is escaped for either language, so a record can be opened without care.
"""

from __future__ import annotations

import re
from html import escape

from nas_core.escaping import markdown_text
from nas_core.reports.document import Section, Words, record_sections
from nas_core.reports.record import DecisionRecord
from nas_core.reports.words import WORDS

__all__ = ["record_html", "record_markdown", "record_page"]

STYLE = """
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem;font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:#0f171e;background:#fff}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem}h2{font-size:1.1rem;margin:1.8rem 0 .5rem;border-bottom:1px solid #dde3e9;padding-bottom:.25rem}
.lead{color:#5a6876;margin:0 0 1rem}
dl{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.25rem 1rem;margin:0}dt{color:#5a6876}dd{margin:0;overflow-wrap:anywhere}
dd.long{white-space:pre-wrap}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.92em}
th{text-align:left;color:#5a6876;font-weight:600}th,td{padding:.3rem .6rem .3rem 0;border-bottom:1px solid #dde3e9;vertical-align:top}
pre{background:#f5f7f9;border:1px solid #dde3e9;border-radius:6px;padding:.6rem .8rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:.9em}
ul{margin:.3rem 0;padding-left:1.2rem}li{margin:.2rem 0}p{margin:.5rem 0}
section.caveats{border-left:4px solid #d55e00;padding-left:1rem;margin-top:1.5rem}section.caveats h2{border:0;margin-top:0}
@page{margin:16mm}
@media print{body{padding:0;max-width:none;font-size:10.5pt}section,tr,pre{break-inside:avoid}h2{break-after:avoid}.wide{overflow:visible}}
"""  # noqa: E501
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def record_markdown(record: DecisionRecord, words: Words = WORDS) -> str:
    """Return a record as Markdown (CommonMark with tables)."""
    lines = [f"# {markdown_text(_title(record, words))}", "", markdown_text(_lead(record, words)), ""]
    for section in record_sections(record, words):
        lines += [f"## {markdown_text(section.title)}", ""]
        if section.rows:
            lines += [f"- **{markdown_text(term)}**: {markdown_text(said)}" for term, said in section.rows] + [""]
        if section.table:
            lines += [_line(section.head), "|" + " --- |" * len(section.head), *map(_line, section.table), ""]
        for sentence in section.sentences:
            lines += [markdown_text(sentence), ""]
        for sentence, command in section.codes:
            lines += [markdown_text(sentence), "", *_fenced(command), ""]
        if section.items:
            lines += [f"- {markdown_text(item)}" for item in section.items] + [""]
    return "\n".join(lines).rstrip() + "\n"


def record_html(record: DecisionRecord, words: Words = WORDS) -> str:
    """Return a record as HTML to be put into a page: its sections, without a heading of the whole."""
    return "\n".join(_section(section) for section in record_sections(record, words))


def record_page(record: DecisionRecord, words: Words = WORDS, language: str = "en") -> str:
    """Return a record as one HTML page without scripts and without requests, laid out for paper as well."""
    title = escape(_title(record, words))
    return (
        f'<!doctype html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>"
        f'<p class="lead">{escape(_lead(record, words))}</p>\n{record_html(record, words)}\n</body></html>\n'
    )


def _title(record: DecisionRecord, words: Words) -> str:
    return words["title"].format(number=record.chosen.number, run=record.run_name)


def _lead(record: DecisionRecord, words: Words) -> str:
    return words["lead"].format(
        number=record.chosen.number, evaluated=f"{record.budget.evaluated:,}",
        weight=f"{record.preference.weight:.2f}",
    )  # fmt: skip


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(markdown_text(cell) for cell in cells) + " |"


def _fenced(command: str) -> list[str]:
    """Return a code block whose fence is longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", command)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}bash", command, fence]


def _section(section: Section) -> str:
    parts = [f'<section class="{section.key}"><h2>{escape(section.title)}</h2>']
    if section.rows:
        rows = "".join(f'<dt>{escape(t)}</dt><dd class="long">{escape(said)}</dd>' for t, said in section.rows)
        parts.append(f"<dl>{rows}</dl>")
    if section.table:
        head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in section.head)
        body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in section.table)
        told = escape(section.title)
        parts.append(
            f'<div class="wide" tabindex="0" role="region" aria-label="{told}"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div>"
        )
    parts += [f"<p>{escape(sentence)}</p>" for sentence in section.sentences]
    for sentence, command in section.codes:
        parts.append(f"<p>{escape(sentence)}</p><pre><code>{escape(command)}</code></pre>")
    if section.items:
        parts.append("<ul>" + "".join(f"<li>{escape(item)}</li>" for item in section.items) + "</ul>")
    return "".join([*parts, "</section>"])
