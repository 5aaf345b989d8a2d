"""The command ``nasight``: the studio, the demo, and everything the engine's own commands offer."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from nas_core.command import app
from nas_core.command.drawing import known_candidate
from nas_core.command.room import RunArgument, StoreOption, known_run, opened, spoken
from nas_core.errors import NasightError

__all__ = ["app", "main"]

Host = Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is reachable from this machine only.")]
Port = Annotated[int, typer.Option(help="Port to listen on; the next free one is taken when it is in use.")]
StoreUrl = Annotated[str | None, typer.Option("--store", help="Store URL or directory; default: the user's own store.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")]


@app.callback(invoke_without_command=True)
def studio(
    context: typer.Context, host: Host = "127.0.0.1", port: Port = 8501, store: StoreUrl = None, browser: Browser = True
) -> None:
    """Open the studio (without a command), or run one of the commands."""
    if context.invoked_subcommand is None:
        open_studio(host, port, store, browser, demo=False)


@app.command()
def demo(
    host: Host = "127.0.0.1", port: Port = 8501, store: StoreUrl = None, browser: Browser = True,
    candidates: Annotated[int, typer.Option(help="How many networks to try.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
) -> None:  # fmt: skip
    """Open the studio with a search already running on scikit-learn's breast cancer data."""
    open_studio(host, port, store, browser, demo=True, candidates=candidates, seed=seed)


@app.command()
@spoken
def report(
    run: RunArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="FILE to write; a name of its own else.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="html (the replay), md or json; that of FILE, else html, when not given.")
    ] = None,
    candidate: Annotated[
        str | None, typer.Option(help="Number or id; else the latest decision, else the best at λ.", metavar="N")
    ] = None,
    weight: Annotated[float | None, typer.Option(help="λ; that of the run when not given.")] = None,
    seconds: Annotated[
        float, typer.Option(help="Replay: time for what the networks look at; 0 for none.", min=0.0)
    ] = 20.0,
    language: Annotated[str, typer.Option(help="en or zh; a replay holds both and opens in this one.")] = "en",
    store: StoreOption = None,
) -> None:
    """Write what was decided about a run: a replay in one HTML file, Markdown, or JSON that `reproduce` reads."""
    from dashboard.replay.writing import report_file

    where = opened(store)
    try:
        chosen = known_run(where, run)
        identity = None if candidate is None else known_candidate(where, chosen, candidate).id
        with report_progress() as told:
            file, said = report_file(
                where, chosen, output, format, candidate=identity, weight=weight, seconds=seconds, language=language,
                told=told,
            )  # fmt: skip
    finally:
        where.close()
    typer.secho(f"{file}: {said}", err=True)


@contextlib.contextmanager
def report_progress() -> Iterator[Callable[[float, str], None]]:
    """Show on stderr how far a report is; Ctrl-C ends the command, nothing half-written is left."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(file=sys.stderr, highlight=False)
    with Progress(TextColumn("{task.description}"), BarColumn(), console=console, transient=True) as bar:
        task = bar.add_task("Reading the run", total=1.0)
        yield lambda share, words: bar.update(task, completed=share, description=words)


def open_studio(
    host: str, port: int, store: str | None, browser: bool, *, demo: bool, candidates: int = 500, seed: int = 0
) -> None:
    """Serve the studio until it is told to stop; print its address, and say so if the port had to change."""
    from dashboard import process, server

    try:
        chosen = server.free_port(host, port)
        process.configure(store)
        process.store()
    except NasightError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(2) from None
    if chosen != port:
        typer.secho(f"Port {port} is in use; using {chosen} instead.", fg="yellow")
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    url = f"http://{f'[{shown}]' if ':' in shown else shown}:{chosen}"

    def started() -> None:
        typer.echo(f"NASight is open at {url}  (Ctrl-C stops it)")
        sys.stdout.flush()
        if demo:
            process.start_demo(candidates=candidates, seed=seed)
        if browser:
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # the server ends in order, then lets it through
    with contextlib.suppress(KeyboardInterrupt):
        server.serve(host, chosen, on_start=started)
    typer.echo(f"NASight has stopped. Every finished candidate is kept in {process.store().url}")
    process.store().close()


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
