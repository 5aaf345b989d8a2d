"""An architecture graph as SVG, PNG, DOT and Mermaid: complete, and nothing a person named is ever obeyed."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.errors import SettingsError
from nas_core.spaces.graph_drawing import GRAPH_FORMATS, draw_graph
from nas_core.spaces.graph_text import dot_text, mermaid_text

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dashboard"))

from graph_examples import cells, parallel_groups, tower

NASTY = (
    "<script>alert('x')</script>", 'say "hi"', "two\nlines\r\n", "[a](b){c}|d|", "%% comment", "%%{init: {}}%%",
    "naïve 日本 😀", "end", "back\\slash\\", "\\N \\G \\l", "&lt; &amp; &#60;", "`code`", "1. list", "- item",
    "$$x^2$$", "fa:fa-car", "#quot;", "click n0 call f()", "a-->b", "a;b", "<b>bold</b>",
    "\x00\x07tab\t", "\u202eright to left",
)  # fmt: skip


def labelled(label: str) -> nx.DiGraph:
    graph = cells(2)
    graph.nodes["input"]["label"] = label
    graph.graph["groups"][0] = label
    return graph


def shown(text: str) -> str:
    """Return what a person can see of a text: one line of printable characters."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def texts_of(svg: bytes) -> list[str]:
    root = ET.fromstring(svg)
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")]


@pytest.mark.parametrize("label", NASTY)
def test_graphviz_shows_any_label_as_it_is(label: str) -> None:
    svg = draw_graph(labelled(label), "svg", title=label)
    root = ET.fromstring(svg)
    tags = {e.tag.rpartition("}")[2] for e in root.iter()}
    assert tags <= {"svg", "g", "title", "polygon", "path", "ellipse", "text", "polyline", "a"}
    assert not any(name.startswith("on") or "script" in value for e in root.iter() for name, value in e.attrib.items())
    words = [" ".join(t.split()) for t in texts_of(svg)]
    assert words.count(shown(label)) >= 3  # the node, the group and the title


@pytest.mark.parametrize("label", NASTY)
def test_dot_can_be_read_back_with_the_same_nodes_and_edges(label: str) -> None:
    import pygraphviz

    graph = labelled(label)
    back = pygraphviz.AGraph(string=dot_text(graph, label))
    assert back.number_of_nodes() == graph.number_of_nodes()
    assert back.number_of_edges() == graph.number_of_edges()
    skips = [e for e in back.edges() if e.attr["style"] == "dashed"]
    assert len(skips) == sum(d["skip"] for _, _, d in graph.edges(data=True))
    assert len(back.subgraphs()) == 2


@given(st.text(max_size=60))
def test_a_mermaid_label_holds_nothing_that_mermaid_could_read(label: str) -> None:
    lines = mermaid_text(labelled(label)).splitlines()
    node = next(line for line in lines if line.strip().startswith("n0"))
    inside = re.fullmatch(r'  n0\(\["(.*)<br/>16 × 8 × 8"\]\)', node)
    assert inside is not None
    letters = re.sub(r"#\d+;", "", inside[1])
    assert all(c.isalnum() or c in " ×→·" for c in letters)
    decoded = re.sub(r"#(\d+);", lambda m: chr(int(m[1])), inside[1])
    assert decoded == shown(label)


def test_mermaid_has_every_node_edge_group_and_kind() -> None:
    graph = cells(3)
    text = mermaid_text(graph, 'a "title"')
    assert text.startswith('---\ntitle: "a \\"title\\""\n---\nflowchart TB\n')
    assert len(re.findall(r"^ +n\d+[\[({]", text, re.M)) == len(graph)
    assert len(re.findall(r"^  n\d+ (-->|-\.->) n\d+$", text, re.M)) == graph.number_of_edges()
    assert text.count("subgraph ") == text.count("  end\n") == 3
    skips = next(line for line in text.splitlines() if line.strip().startswith("linkStyle"))
    assert len(skips.split()[1].split(",")) == 3
    classed = [n for line in text.splitlines() if line.startswith("  class ") for n in line.split()[1].split(",")]
    assert sorted(classed) == sorted(f"n{i}" for i in range(len(graph)))


def test_every_node_is_in_the_picture_with_its_numbers_on_hover() -> None:
    graph = tower(30, 1.0)
    svg = draw_graph(graph, "svg")
    words = texts_of(svg)
    for _, data in graph.nodes(data=True):
        assert data["label"] in words
    titles = [v for e in ET.fromstring(svg).iter() for k, v in e.attrib.items() if k.endswith("title")]
    told = [found[1] for t in titles if (found := re.search(r"([\d,]+) parameters", t))]
    assert len(told) == 30
    assert sum(int(n.replace(",", "")) for n in told) == sum(d["parameters"] for _, d in graph.nodes(data=True))


def test_groups_side_by_side_are_read_from_left_to_right() -> None:
    assert 'rankdir="LR"' in dot_text(parallel_groups([1] * 12))
    assert "flowchart LR" in mermaid_text(parallel_groups([1] * 12))
    assert 'rankdir="TB"' in dot_text(tower(30, 0))


@settings(max_examples=15, deadline=None)
@given(nodes=st.integers(3, 60), skips=st.floats(0, 2), seed=st.integers(0, 1000))
def test_every_format_is_written_for_any_network(nodes: int, skips: float, seed: int) -> None:
    graph = tower(nodes, skips, seed)
    for format in GRAPH_FORMATS:
        drawn = draw_graph(graph, format, "title")
        assert drawn.startswith({"svg": b"<?xml", "png": b"\x89PNG", "dot": b"digraph", "mermaid": b"---"}[format])
    assert draw_graph(graph, "dot") == draw_graph(graph, "dot")


def test_a_png_is_sharp_and_a_very_large_one_still_fits() -> None:
    small = draw_graph(cells(1), "png")
    width = int.from_bytes(small[16:20], "big")
    svg = ET.fromstring(draw_graph(cells(1), "svg"))
    assert width == pytest.approx(2 * float(svg.attrib["width"].removesuffix("pt")), abs=4)
    large = draw_graph(tower(400, 0.1), "png")
    assert int.from_bytes(large[20:24], "big") <= 32_767


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"no graph format 'gif'.*svg, png, dot, mermaid"):
        draw_graph(cells(1), "gif")
