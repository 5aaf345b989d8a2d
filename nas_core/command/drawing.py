"""The picture of one candidate's network as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command.room import RunArgument, StoreOption, app, known_run, opened, spoken
from nas_core.errors import SettingsError, StoreError

if TYPE_CHECKING:
    from nas_core.records import Evaluation
    from nas_core.store import Store

__all__ = ["graph"]

FORMATS = {"svg": "svg", "png": "png", "dot": "dot", "gv": "dot", "mermaid": "mermaid", "mmd": "mermaid"}
"""What --format and the endings of files may say."""


@app.command()
@spoken
def graph(
    run: RunArgument,
    candidate: Annotated[
        str, typer.Argument(help="A candidate's number, its id or the beginning of it.", metavar="CANDIDATE")
    ],
    format: Annotated[
        str | None, typer.Option(help="svg, png, dot or mermaid; that of FILE, else mermaid, when not given.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="FILE to write; text goes to stdout.")] = None,
    store: StoreOption = None,
) -> None:
    """Draw the network of a candidate: SVG, PNG, Graphviz DOT or Mermaid."""
    from nas_core.spaces import SearchSpace
    from nas_core.spaces import graph as network_graph
    from nas_core.spaces.graph_drawing import draw_graph

    chosen = _format(format, output)
    if output is None and chosen == "png":
        raise SettingsError("A PNG is not text", allowed="svg, dot, mermaid without a file", fix="add -o FILE")
    where = opened(store)
    try:
        record = where.run(known_run(where, run))
        found = known_candidate(where, record.id, candidate)
        picture = network_graph(SearchSpace.model_validate(record.space), found.architecture)
    finally:
        where.close()
    drawn = draw_graph(picture, chosen, f"{record.name} #{found.index}")
    if output is None:
        typer.echo(drawn.decode(), nl=False)
        return
    try:
        output.write_bytes(drawn)
    except OSError as error:
        raise SettingsError(f"The file {output} cannot be written ({error})", fix="choose another file") from None
    typer.secho(f"{output}: {picture.number_of_nodes()} operations as {chosen}", err=True)


def known_candidate(store: Store, run_id: str, text: str) -> Evaluation:
    """Return the candidate of a run with the number ``text``, or whose id begins so.

    Raises:
        StoreError: None or several do, or the run itself is damaged.
    """
    store.run(run_id)
    found = store.evaluations(run_id)
    number = text.removeprefix("#")
    if number.isdecimal() and (same := [e for e in found if e.index == int(number)]):
        return same[0]
    matches = [e for e in found if text and e.id.startswith(text)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise StoreError(f"{text!r} could be {', '.join(e.id for e in matches[:4])}", fix="write more of the id")
    raise StoreError(
        f"The run {run_id} has no candidate {text!r}", allowed=f"1 … {len(found)}, or an id",
        fix=f"nasight show {run_id} lists those on its front",
    )  # fmt: skip


def _format(format: str | None, output: Path | None) -> str:
    """Return the format that was asked for, else that of the file's ending, else mermaid.

    Raises:
        SettingsError: There is no such format.
    """
    asked = format if format is not None else output.suffix.removeprefix(".") if output is not None else "mermaid"
    chosen = FORMATS.get(asked.lower())
    if chosen is None:
        what = f"There is no graph format {asked!r}" if asked else f"{output} has no ending that says its format"
        raise SettingsError(what, allowed="svg, png, dot, mermaid", fix="write for example --format svg")
    return chosen
