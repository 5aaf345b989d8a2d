"""The command ``nasight``: the studio, the demo, and everything the engine's own commands offer."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas_core.command import app
from nas_core.command.drawing import known_candidate
from nas_core.command.room import RunArgument, StoreOption, known_run, opened, spoken
from nas_core.errors import NasightError, SettingsError

if TYPE_CHECKING:
    from dashboard.access import Keys

__all__ = ["app", "main"]

LOCAL = "127.0.0.1"


class Login(StrEnum):
    """How people come in."""

    NONE = "none"
    TOKEN = "token"


@dataclass(frozen=True)
class Entrance:
    """What was said of who may come in, as on the command line."""

    auth: Login | None = None
    token_file: Path | None = None
    open_to_network: bool = False

    def keys(self, host: str) -> Keys | None:
        """Return the tokens; None where nobody has to sign in.

        Raises:
            SettingsError: Other machines could come in without a token, and nobody said that they may; a token or
                its file is not right.
        """
        from dashboard.access import HOME, Keys, known_tokens

        driver, viewer = (None, None) if self.auth is Login.NONE else known_tokens(self.token_file)
        if self.auth is Login.TOKEN or driver is not None:
            return Keys(driver, viewer)
        if host not in HOME and not self.open_to_network:
            raise SettingsError(
                f"Everybody who can reach {host} could open the studio and steer its runs",
                allowed="127.0.0.1; another address with --auth token",
                fix="add --auth token, or --open-to-network if you mean it",
            )
        return None


Host = Annotated[str, typer.Option(help="Address to listen on; 127.0.0.1 is reachable from this machine only.")]
Port = Annotated[int, typer.Option(help="Port to listen on; the next free one is taken when it is in use.")]
StoreUrl = Annotated[str | None, typer.Option("--store", help="Store URL or directory; default: the user's own store.")]
Auth = Annotated[
    Login | None,
    typer.Option(help="token: nothing is served without one. Chosen by itself where a token is given. Default: none."),
]
TokenFile = Annotated[
    Path | None,
    typer.Option(help="File with the token of drivers and, in a second line, of viewers; or NASIGHT_TOKEN and "
                 "NASIGHT_VIEWER_TOKEN. Random ones are printed else.", metavar="FILE"),
]  # fmt: skip
Open = Annotated[bool, typer.Option("--open-to-network", help="Let everybody who can reach --host in, and steer.")]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser.")]


@app.callback(invoke_without_command=True)
def begin(
    context: typer.Context, host: Host = LOCAL, port: Port = 8501, store: StoreUrl = None, browser: Browser = True,
    auth: Auth = None, token_file: TokenFile = None, open_to_network: Open = False,
) -> None:  # fmt: skip
    """Open the studio (without a command), or run one of the commands."""
    if context.invoked_subcommand is None:
        open_studio(host, port, store, browser, Entrance(auth, token_file, open_to_network))


@app.command()
def studio(
    host: Host = LOCAL, port: Port = 8501, store: StoreUrl = None, browser: Browser = True,
    auth: Auth = None, token_file: TokenFile = None, open_to_network: Open = False,
) -> None:  # fmt: skip
    """Open the studio; the same as nasight without a command."""
    open_studio(host, port, store, browser, Entrance(auth, token_file, open_to_network))


@app.command()
def demo(
    host: Host = LOCAL, port: Port = 8501, store: StoreUrl = None, browser: Browser = True,
    auth: Auth = None, token_file: TokenFile = None, open_to_network: Open = False,
    candidates: Annotated[int, typer.Option(help="How many networks to try.", min=1)] = 500,
    seed: Annotated[int, typer.Option(help="Seed of the search.")] = 0,
) -> None:  # fmt: skip
    """Open the studio with a search already running on scikit-learn's breast cancer data."""
    entrance = Entrance(auth, token_file, open_to_network)
    open_studio(host, port, store, browser, entrance, demo={"candidates": candidates, "seed": seed})


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
    host: str, port: int, store: str | None, browser: bool, entrance: Entrance, *, demo: Mapping[str, int] | None = None
) -> None:
    """Serve the studio until it is told to stop; print its address, and say so if the port had to change.

    Args:
        host: The address to listen on.
        port: The first port to try.
        store: URL or path of the store.
        browser: Whether to open the page.
        entrance: Who may come in.
        demo: Candidates and seed of a search to begin with; None for none.
    """
    from dashboard import process, server

    try:
        keys = entrance.keys(host)
        chosen = server.free_port(host, port)
        process.configure(store)
        process.store()
    except NasightError as error:
        typer.secho(f"Error: {error}", fg="red", err=True)
        raise typer.Exit(2) from None
    if chosen != port:
        typer.secho(f"Port {port} is in use; using {chosen} instead.", fg="yellow")
    url = _address(host, chosen)

    def started() -> None:
        for line in greeting(url, keys):
            typer.echo(line)
        sys.stdout.flush()
        if demo is not None:
            process.start_demo(**demo)
        if browser:
            entry = f"{url}/?token={keys.ticket()}" if keys is not None else url
            threading.Thread(target=webbrowser.open, args=(entry,), daemon=True).start()

    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))  # the server ends in order, then lets it through
    with contextlib.suppress(KeyboardInterrupt):
        server.serve(host, chosen, keys=keys, on_start=started)
    typer.echo(f"NASight has stopped. Every finished candidate is kept in {process.store().url}")
    process.store().close()


def _address(host: str, port: int) -> str:
    shown = LOCAL if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def greeting(url: str, keys: Keys | None) -> Iterator[str]:
    """Yield what is printed once the studio is open; tokens that were given are known and stay out of the terminal."""
    yield f"NASight is open at {url}  (Ctrl-C stops it)"
    if keys is None:
        return
    if keys.made_up("driver"):
        yield f"Link for drivers, who may do everything:  {url}/?token={keys.tokens['driver']}"
    else:
        yield "Nothing is served without the token you gave; enter it there, or add ?token=… to the address."
    if keys.made_up("viewer"):
        yield f"Link for viewers, who only look:          {url}/?token={keys.tokens['viewer']}"


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
