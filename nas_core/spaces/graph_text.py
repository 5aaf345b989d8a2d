"""An architecture graph as text for other tools: Graphviz DOT and Mermaid.

Labels may hold anything a person wrote (names of features, of classes), so every text is escaped for the language it
goes into: it is shown as it is, and none of it is obeyed.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from html import escape
from typing import TYPE_CHECKING, Any

from nas_core.spaces.graph_kinds import OKABE_ITO, KindStyle, Outline, kind_style

if TYPE_CHECKING:
    import networkx

__all__ = ["dot_text", "mermaid_text"]

SKIP = OKABE_ITO[5]
INK, MUTED, PANEL, FRAME = "#0F171E", "#5A6876", "#F5F7F9", "#C9D1D9"
FONT = "Helvetica,Arial,sans-serif"
TINT = 0.16
DOT_SHAPES: dict[Outline, str] = {
    "rectangle": 'shape="box"',
    "pill": 'shape="box" style="filled,rounded"',
    "rounded": 'shape="octagon"',
    "cut": 'shape="note"',
    "funnel": 'shape="box" style="filled,diagonals"',
    "stack": 'shape="box3d"',
}
MERMAID_SHAPES: dict[Outline, tuple[str, str]] = {
    "rectangle": ("[", "]"),
    "pill": ("([", "])"),
    "rounded": ("(", ")"),
    "cut": ("{{", "}}"),
    "funnel": ("[\\", "/]"),
    "stack": ("[[", "]]"),
}


def dot_text(graph: networkx.DiGraph, title: str = "") -> str:
    """Return the graph in Graphviz' language, groups as clusters, skip connections dashed, with a legend below.

    Args:
        graph: As families give it (``nas_core.spaces.graph``), or a fold of it.
        title: A line above the legend.
    """
    names = {node: f"n{i}" for i, node in enumerate(graph)}
    lines = [
        "digraph architecture {",
        f'  rankdir="{_direction(graph)}" nodesep="0.18" ranksep="0.32" fontname="{FONT}" fontsize="11" '
        f'fontcolor="{MUTED}" labelloc="b" bgcolor="white" charset="UTF-8"',
        f"  label={_legend(graph, title)}",
        f'  node [fontname="{FONT}" fontsize="11" fontcolor="{INK}" style="filled" penwidth="1.3" '
        'margin="0.12,0.05" height="0.3"]',
        f'  edge [color="{MUTED}" arrowsize="0.6" weight="6"]',
    ]
    for group, members in _groups(graph).items():
        inside = [f"    {_dot_node(names[n], graph.nodes[n])}" for n in members]
        if group is None:
            lines += [line[2:] for line in inside]
            continue
        lines.append(f'  subgraph "cluster_{len(lines)}" {{')
        lines.append(f'    label="{_dot(_group_label(graph, group))}" labelloc="t" labeljust="l" margin="10"')
        lines.append(f'    style="filled,rounded" color="{FRAME}" fillcolor="{PANEL}" fontsize="10"')
        lines += [*inside, "  }"]
    for source, end, data in graph.edges(data=True):
        look = f' [color="{SKIP}" style="dashed" penwidth="1.6" weight="1"]' if data.get("skip") else ""
        lines.append(f"  {names[source]} -> {names[end]}{look}")
    return "\n".join([*lines, "}", ""])


def mermaid_text(graph: networkx.DiGraph, title: str = "") -> str:
    """Return the graph as a Mermaid flowchart, groups as subgraphs, skip connections dotted.

    Mermaid itself refuses more than 500 edges unless ``maxEdges`` is raised.
    """
    names = {node: f"n{i}" for i, node in enumerate(graph)}
    lines = ["---", f'title: "{_yaml(title)}"', "---"] if _line(title) else []
    lines.append(f"flowchart {'TB' if _direction(graph) == 'TB' else 'LR'}")
    for number, (group, members) in enumerate(_groups(graph).items()):
        inside = [_mermaid_node(names[n], graph.nodes[n]) for n in members]
        if group is None:
            lines += [f"  {line}" for line in inside]
            continue
        lines.append(f'  subgraph g{number}["{_mermaid(_group_label(graph, group))}"]')
        lines += [f"    {line}" for line in inside]
        lines.append("  end")
    skips = []
    for number, (source, end, data) in enumerate(graph.edges(data=True)):
        arrow = "-.->" if data.get("skip") else "-->"
        lines.append(f"  {names[source]} {arrow} {names[end]}")
        if data.get("skip"):
            skips.append(str(number))
    if skips:
        lines.append(f"  linkStyle {','.join(skips)} stroke:{SKIP},stroke-width:2px")
    for style, members in _by_style(graph).items():
        colour = OKABE_ITO[style.slot]
        name = f"kind{style.slot}{style.outline}"
        lines.append(f"  classDef {name} fill:{_tinted(colour)},stroke:{colour},color:{INK}")
        lines.append(f"  class {','.join(names[n] for n in members)} {name}")
    return "\n".join([*lines, ""])


def _dot_node(name: str, data: dict[str, Any]) -> str:
    style = kind_style(str(data.get("kind", "operation")))
    colour = OKABE_ITO[style.slot]
    shape = _shape(data.get("note") or data.get("shape", ""))
    label = _dot(str(data.get("label", name))) + (f"\\n{_dot(shape)}" if shape else "")
    return (
        f'{name} [label="{label}" {DOT_SHAPES[style.outline]} color="{colour}" fillcolor="{_tinted(colour)}" '
        f'tooltip="{_dot(_numbers(data))}"]'
    )


def _mermaid_node(name: str, data: dict[str, Any]) -> str:
    opening, closing = MERMAID_SHAPES[kind_style(str(data.get("kind", "operation"))).outline]
    shape = _shape(data.get("note") or data.get("shape", ""))
    label = _mermaid(str(data.get("label", name))) + (f"<br/>{_mermaid(shape)}" if shape else "")
    return f'{name}{opening}"{label}"{closing}'


def _numbers(data: dict[str, Any]) -> str:
    """Return what a node costs, in words."""
    parameters, operations = int(data.get("parameters", 0)), int(data.get("operations", 0))
    return f"{kind_style(str(data.get('kind', ''))).words}: {parameters:,} parameters, {operations:,} operations"


def _legend(graph: networkx.DiGraph, title: str) -> str:
    """Return an HTML-like label with the title and a swatch for every kind in the graph."""
    cells = []
    for style in _by_style(graph):
        colour = OKABE_ITO[style.slot]
        cells.append(f'<TD BGCOLOR="{_tinted(colour)}" COLOR="{colour}" BORDER="1">{_html(style.words)}</TD>')
    if any(data.get("skip") for _, _, data in graph.edges(data=True)):
        cells.append(f'<TD><FONT COLOR="{SKIP}">- - skip connection</FONT></TD>')
    head = f'<TR><TD COLSPAN="{len(cells)}">{_html(title)}</TD></TR>' if _line(title) else ""
    table = '<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="4" CELLPADDING="3">'
    return f"<{table}{head}<TR>{''.join(cells)}</TR></TABLE>>"


def _by_style(graph: networkx.DiGraph) -> dict[KindStyle, list[Hashable]]:
    found: dict[KindStyle, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        found.setdefault(kind_style(str(data.get("kind", "operation"))), []).append(node)
    return found


def _groups(graph: networkx.DiGraph) -> dict[Any, list[Hashable]]:
    """Return the nodes by group, those outside groups under None."""
    groups: dict[Any, list[Hashable]] = {}
    for node, data in graph.nodes(data=True):
        group = data.get("group", -1)
        groups.setdefault(None if group in (-1, None) else group, []).append(node)
    return groups


def _group_label(graph: networkx.DiGraph, group: Any) -> str:
    return str(graph.graph.get("groups", {}).get(group, ""))


def _direction(graph: networkx.DiGraph) -> str:
    """Return "LR" for a graph that is much wider than deep, as groups side by side are, else "TB"."""
    import networkx as nx

    if not nx.is_directed_acyclic_graph(graph):
        return "TB"
    rows = [len(row) for row in nx.topological_generations(graph)]
    return "LR" if max(rows, default=0) > 1.5 * len(rows) else "TB"


def _shape(shape: Any) -> str:
    return " × ".join(str(s) for s in shape) if isinstance(shape, (tuple, list)) else str(shape)


def _line(text: str) -> str:
    """Return ``text`` on one line and without characters that cannot be printed (or be in XML)."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _dot(text: str) -> str:
    """Return ``text`` for the inside of a quoted DOT string: Graphviz reads escapes and HTML entities there."""
    return _line(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')


def _html(text: str) -> str:
    """Return ``text`` for an HTML-like label: Graphviz reads escapes there too."""
    return escape(_line(text)).replace("\\", "\\\\")


def _mermaid(text: str) -> str:
    """Return ``text`` for the inside of a quoted Mermaid label: all but letters, digits and blanks as entities.

    Mermaid reads Markdown, HTML, icons, formulas and comments inside labels; it decodes entities last.
    """
    return "".join(c if c.isalnum() or c in " ×→·" else f"#{ord(c)};" for c in _line(text))


def _yaml(text: str) -> str:
    """Return ``text`` for the inside of a double-quoted YAML string; signs of markup as their numbers."""
    quoted = _line(text).replace("\\", "\\\\").replace('"', '\\"')
    return quoted.replace("<", "\\u003C").replace(">", "\\u003E")


def _tinted(colour: str) -> str:
    """Return a light tint of ``colour`` on white."""
    channels: Iterable[int] = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(TINT * c + (1 - TINT) * 255):02X}" for c in channels)
