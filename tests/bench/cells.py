"""How many of the 15,625 cells of NAS-Bench-201 are different networks, beside the published 6,466.

Run ``python tests/bench/cells.py`` for a table, with ``--json`` for the same as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from typing import Any

from nas_core.spaces.cell.topology import EDGES, all_cells, live_edges, representative

Terms = frozenset[tuple[int, int]]
"""What a sum holds: an operation (its edge, or the input) and how often."""

INPUT = -1
PUBLISHED = 6466
"""Dong & Yang (2020), arXiv 2001.00326, section 2.2."""


def published_string(cell: Sequence[str], *, zeros: bool) -> str:
    """Return the string that NAS-Bench-201 compares: a node is the sorted list of what its edges bring, written out.

    A skip brings the string of its node. With ``zeros`` an edge that is none, or comes from a node that is just "#",
    brings "#"; but a "#" inside a list stays there, and a list of two of them is no "#".
    """
    nodes = {0: "0"}
    for node in (1, 2, 3):
        brought = []
        for (i, j), operation in zip(EDGES, cell):
            if j == node:
                zero = zeros and (operation == "none" or nodes[i] == "#")
                text = nodes[i] if operation == "skip_connect" else f"({nodes[i]})@{operation}"
                brought.append("#" if zero else text)
        nodes[node] = "+".join(sorted(brought))
    return nodes[3]


def written_out(cell: Sequence[str]) -> str:
    """Return the expression of a cell without zeros, as a tree: what is shared is written as often as it is read."""
    nodes = {0: ["x"]}
    for (i, j), operation in zip(EDGES, live_edges(cell)):
        if operation != "none":
            whole = "+".join(sorted(nodes[i]))
            nodes.setdefault(j, []).extend(nodes[i] if operation == "skip_connect" else [f"({whole})@{operation}"])
    return "+".join(sorted(nodes.get(3, [])))


def shared_form(cell: Sequence[str]) -> Any:
    """Return the same with every convolution told apart, under the smallest of all numberings.

    Two poolings of one sum are one: they have no weights. Pooling of a sum stays apart from the sum of poolings.
    """
    nodes: dict[int, Counter[int]] = {0: Counter([INPUT])}
    parts: dict[int, tuple[str, Terms]] = {}
    for edge, ((i, j), operation) in enumerate(zip(EDGES, live_edges(cell))):
        if operation == "none":
            continue
        terms = frozenset(nodes[i].items())
        twin = next((e for e, part in parts.items() if part == ("avg_pool_3x3", terms) and part[0] == operation), edge)
        if operation != "skip_connect":
            parts[twin] = (operation, terms)
        nodes[j] = nodes.get(j, Counter()) + (nodes[i] if operation == "skip_connect" else Counter([twin]))
    output = frozenset(nodes.get(3, Counter()).items())
    return min(_numbered(parts, output, order) for order in permutations(parts))


def _numbered(parts: dict[int, tuple[str, Terms]], output: Terms, order: Sequence[int]) -> Any:
    number = {INPUT: INPUT} | {part: n for n, part in enumerate(order)}
    listed = [(parts[part][0], sorted((number[s], n) for s, n in parts[part][1])) for part in order]
    return repr((listed, sorted((number[s], n) for s, n in output)))


def count_classes() -> list[dict[str, Any]]:
    """Return the steps from 15,625 cells to the number of different networks: name, number and what happens."""
    cells = list(all_cells())
    steps: list[tuple[str, int, str]] = [
        ("cells", len(cells), "five operations on six edges"),
        (
            "strings without skips",
            len({published_string(c, zeros=False) for c in cells}),
            "a skip brings what its node holds; none is an operation like any other",
        ),
        (
            "strings without skips and zeros",
            len({published_string(c, zeros=True) for c in cells}),
            f"the published {PUBLISHED:,}: none brings a zero, which stays in the sum",
        ),
        (
            "removed edges",
            len({written_out(c) for c in cells}),
            "zeros leave the sums, and what only zeros reach is removed",
        ),
        (
            "weights of their own",
            len({shared_form(c) for c in cells}),
            "one convolution read twice is not two convolutions with equal inputs",
        ),
        (
            "pooling is linear",
            len({representative(c) for c in cells}),
            "a pooled sum is the sum of the poolings: the classes of this project",
        ),
    ]
    return [{"step": name, "classes": number, "what": what} for name, number, what in steps]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    steps = count_classes()
    if parser.parse_args().json:
        print(json.dumps({"published": PUBLISHED, "steps": steps}, indent=2))
        return
    before = None
    for row in steps:
        change = "" if before is None else f"{row['classes'] - before:+,}"
        print(f"{row['classes']:>7,} {change:>7}  {row['step']:<31} {row['what']}")
        before = row["classes"]


if __name__ == "__main__":
    main()
