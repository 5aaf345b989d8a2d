"""The architecture graph: positions that do not overlap, totals that survive merging, and a picture of all of it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import run_problem

from dashboard.figures.architecture import architecture_figure, kind_colour
from dashboard.theme import DARK, LIGHT
from dashboard.views.collapse import levels, named
from dashboard.views.graph import GraphView, graph_view, shorten
from nas_core.spaces import SearchSpace, facts, graph


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace.for_problem(run_problem(), "accurate")


def boxes_overlap(view: GraphView) -> bool:
    return any(
        abs(a.x - b.x) < (a.width + b.width) / 2 - 1 and abs(a.y - b.y) < (a.height + b.height) / 2 - 1
        for a, b in combinations(view.nodes, 2)
    )


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_merging_keeps_totals_features_and_a_way_from_every_input(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    known = facts(space, architecture)
    names = [f.name for f in space.features]
    for small, told in levels(named(graph(space, architecture), names), 8):
        data = [d for _, d in small.nodes(data=True)]
        assert sum(d["parameters"] for d in data) == known.parameters
        assert sum(d["operations"] for d in data) == known.operations
        assert {f for d in data for f in d["features"]} == {names[j] for j in known.used_features}
        assert nx.is_directed_acyclic_graph(small)
        assert all(nx.has_path(small, n, "output") for n in small)
        assert bool(told) == (small.number_of_nodes() < graph(space, architecture).number_of_nodes())


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_graph_of_any_size_is_laid_out_readably(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    view = graph_view(graph(space, architecture), [f.name for f in space.features])
    assert len(view.nodes) <= 32
    assert view.height <= 760
    assert view.width * 0.7 <= 620
    assert not boxes_overlap(view)
    for node in view.nodes:
        assert node.x - node.width / 2 + 1 >= 0
        assert node.x + node.width / 2 - 1 <= view.width
    assert view.parameters == facts(space, architecture).parameters


def chain(skip: bool) -> nx.DiGraph:
    picture = nx.DiGraph()
    for name, kind in (("a", "input"), ("b", "linear"), ("c", "activation"), ("d", "output")):
        picture.add_node(name, kind=kind, label=f"<{name}>", shape=(4,), parameters=5, operations=7,
                         group=-1 if kind == "output" else 0, features=(0,))  # fmt: skip
    nx.add_path(picture, "abcd", skip=False)
    if skip:
        picture.add_edge("a", "d", skip=True)
    return picture


def test_routes_end_at_their_boxes() -> None:
    view = graph_view(chain(skip=True), ["height"])
    places = {n.id: n for n in view.nodes}
    for edge in view.edges:
        for end, point in ((places[edge.source], edge.points[0]), (places[edge.target], edge.points[-1])):
            assert abs(point[0] - end.x) <= end.width / 2 + 2
            assert abs(point[1] - end.y) <= end.height / 2 + 2


def test_the_picture_shows_every_box_every_edge_and_what_is_inside() -> None:
    view = graph_view(chain(skip=True), ["height"])
    figure = architecture_figure(view, LIGHT)
    boxes = [t for t in figure.data if t.meta == "boxes"]
    assert {t.name: t.line.color for t in boxes} == {
        k: kind_colour(k, LIGHT) for k in ("input", "linear", "activation", "output")
    }
    edges = {t.name: t for t in figure.data if t.meta == "edges"}
    assert list(edges["edges"].x).count(None) == 3
    assert edges["skip"].line.color == LIGHT.chosen
    assert edges["skip"].line.dash == "dot"
    labels = next(t for t in figure.data if t.meta == "labels")
    assert [text.split("<br>")[0] for text in labels.text] == ["<a>", "<b>", "<c>", "<d>"]
    hover = next(t for t in figure.data if t.meta == "hover")
    assert list(hover.customdata) == ["a", "b", "c", "d"]
    assert "5 parameters" in hover.hovertext[1]
    assert "7 operations" in hover.hovertext[1]
    assert "height" in hover.hovertext[1]
    assert figure.layout.height >= view.height


def test_a_wide_graph_is_shrunk_letters_included() -> None:
    view = graph_view(chain(skip=False), ["height"])
    wide, narrow = architecture_figure(view, DARK, room=2000), architecture_figure(view, DARK, room=view.width / 2)
    size = {f: next(t for t in fig.data if t.meta == "labels").textfont.size for f, fig in (("w", wide), ("n", narrow))}
    assert size["n"] < size["w"] == 11
    assert narrow.layout.xaxis.range[1] - narrow.layout.xaxis.range[0] == pytest.approx(view.width + 24)


def test_layouts_from_several_threads_are_the_same() -> None:
    with ThreadPoolExecutor(4) as pool:
        views = list(pool.map(lambda _: graph_view(chain(skip=True), ["height"]), range(12)))
    assert all(view == views[0] for view in views)


def test_long_names_keep_both_ends() -> None:
    assert shorten("short") == "short"
    assert shorten("a" * 30 + "z" * 30, 20) == "a" * 13 + "…" + "z" * 6
