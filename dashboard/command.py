"""The command ``nasight``: the studio, the demo, and everything the engine's own commands offer."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import webbrowser
from typing import Annotated

import typer

from nas_core.command import app
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
