"""What all commands share: the application, errors that are spoken, the store, and how results are printed."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from nas_core.errors import NasightError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from nas_core.store import Store

__all__ = ["JsonOption", "RunArgument", "StoreOption", "app", "console", "known_run", "opened", "printed", "spoken"]

app = typer.Typer(
    help="Neural architecture search for accurate and interpretable networks.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Command = TypeVar("Command", bound=Callable[..., None])
StoreOption = Annotated[str | None, typer.Option("--store", help="Directory, .sqlite file or URL of the store.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
RunArgument = Annotated[
    str, typer.Argument(help="A run's id or the beginning of it; 'latest' for the newest.", metavar="RUN")
]


def spoken(command: Command) -> Command:
    """Let a command end with a message and exit code 2, not with a traceback, when something is wrong."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except NasightError as error:
            typer.secho(f"Error: {error}", fg="red", err=True)
            raise typer.Exit(2) from None

    return run  # type: ignore[return-value]


def opened(location: str | None) -> Store:
    """Return the store at ``location``, or the user's own."""
    from nas_core.store import open_store

    return open_store(location)


def known_run(store: Store, text: str) -> str:
    """Return the id of the run that ``text`` begins, or of the newest; ``text`` itself when none does.

    Raises:
        StoreError: Several runs begin so.
    """
    known = [r.id for r in store.runs()]
    if text == "latest" and known:
        return known[0]
    matches = [run_id for run_id in known if run_id.startswith(text)]
    if len(matches) > 1 and text not in matches:
        raise StoreError(f"{text!r} could be {', '.join(matches[:4])}", fix="write more of the id")
    return matches[0] if len(matches) == 1 else text


def printed(document: dict[str, Any], *, as_json: bool) -> None:
    """Print what a run found."""
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return
    from nas_core.runs.tables import floors_table, front_table, summary_line

    out = console()
    out.print(summary_line(document))
    if any(c["on_front"] for c in document["candidates"]):
        out.print(front_table(document))
    if "floors" in document:
        out.print(floors_table(document))


def console() -> Console:
    """Return a console that does not squeeze tables into 80 columns when its output goes to a file.

    It reads no markup: names that people typed may hold square brackets.
    """
    from rich.console import Console

    made = Console(highlight=False, markup=False, emoji=False)
    return made if made.is_terminal else Console(highlight=False, markup=False, emoji=False, width=160)
