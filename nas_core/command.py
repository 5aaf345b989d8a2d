"""The engine's commands: search, runs, show. Progress goes to stderr, results to stdout."""

from __future__ import annotations

import functools
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from nas_core.errors import NasightError, SettingsError, SpaceError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from nas_core.data import Problem
    from nas_core.runs.run import Run
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["app", "parse_seconds"]

app = typer.Typer(
    help="Neural architecture search for accurate and interpretable networks.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Command = TypeVar("Command", bound=Callable[..., None])
StoreOption = Annotated[str | None, typer.Option("--store", help="Directory, .sqlite file or URL of the store.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


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


@app.command()
@spoken
def search(
    data: Annotated[str, typer.Argument(help="A built-in data set, or a CSV, TSV or Parquet file.", metavar="DATA")],
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression; guessed when not given.")] = None,
    metric: Annotated[str | None, typer.Option(help="roc_auc, accuracy, balanced_accuracy or r2.")] = None,
    strategy: Annotated[str, typer.Option(help="How to search: nsga2 or random.")] = "nsga2",
    weight: Annotated[float, typer.Option(help="λ: 0 = accuracy only … 1 = interpretability only.")] = 0.5,
    candidates: Annotated[int | None, typer.Option(help="Stop after this many; 500 without --time.")] = None,
    time: Annotated[str | None, typer.Option(help="Stop after this long: 60s, 5m, 1h30m.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same result.")] = 0,
    preset: Annotated[str, typer.Option(help="Search space: transparent, balanced or accurate.")] = "balanced",
    space: Annotated[Path | None, typer.Option(help="Search space from a YAML or JSON file.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Search for networks on DATA, and print what was found."""
    from nas_core.preferences import Preference
    from nas_core.runs.settings import RunSettings

    seconds = None if time is None else parse_seconds(time)
    settings = RunSettings(
        strategy=strategy,
        preference=Preference(weight=weight),
        candidates=500 if candidates is None and seconds is None else candidates,
        seconds=seconds,
        seed=seed,
        device=device,
    )
    _check_strategy(strategy)
    opened = _open(store)
    try:
        problem = _problem(data, target, task, metric)
        _search(opened, problem, _space(problem, preset, space), settings, as_json=as_json)
    finally:
        opened.close()


@app.command()
@spoken
def runs(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List the runs of a store, the newest first."""
    opened = _open(store)
    try:
        records = opened.runs()
        if as_json:
            fields = {"id", "name", "state", "reason", "created", "progress", "data_hash", "settings"}
            typer.echo(json.dumps([r.model_dump(mode="json", include=fields) for r in records], ensure_ascii=False))
        elif not records:
            typer.echo(f"No runs yet in {opened.url}. Start one: nasight search breast_cancer")
        else:
            from nas_core.runs.tables import runs_table

            _console().print(runs_table(records))
    finally:
        opened.close()


@app.command()
@spoken
def show(
    run: Annotated[
        str, typer.Argument(help="A run's id or the beginning of it; 'latest' for the newest.", metavar="RUN")
    ],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the front of a run."""
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    opened = _open(store)
    try:
        document = run_document(RunView(opened, _run_id(opened, run)))
        _print(document, as_json=as_json)
    finally:
        opened.close()


def parse_seconds(text: str) -> float:
    """Return the seconds that a text such as ``90``, ``60s``, ``5m`` or ``1h30m`` means.

    Raises:
        SettingsError: It means nothing, or no time at all.
    """
    import re

    found = re.fullmatch(r"(?:([\d.]+)h)?(?:([\d.]+)m(?:in)?)?(?:([\d.]+)s?)?", text.strip().lower().replace(" ", ""))
    try:
        hours, minutes, seconds = (float(part) if part else 0.0 for part in (found.groups() if found else ("x",) * 3))
    except ValueError:
        hours = minutes = seconds = 0.0
    total = 3600 * hours + 60 * minutes + seconds
    if total <= 0.0:
        raise SettingsError(f"{text!r} is not a time", allowed="for example 60s, 5m, 1h30m", fix="write it like these")
    return total


def _check_strategy(name: str) -> None:
    from nas_core.search.registry import STRATEGIES

    if name not in STRATEGIES:
        raise SettingsError(f"There is no strategy {name!r}", allowed=", ".join(STRATEGIES), fix="choose one of them")


def _open(location: str | None) -> Store:
    from nas_core.store import open_store

    return open_store(location)


def _problem(data: str, target: str | None, task: str | None, metric: str | None) -> Problem:
    from nas_core.data import Problem, load_data

    if task not in (None, "classification", "regression"):
        raise SettingsError(
            f"There is no task {task!r}", allowed="classification, regression", fix="choose one of them"
        )
    return Problem.create(load_data(data, target=target, task=task), metric=metric)  # type: ignore[arg-type]


def _space(problem: Problem, preset: str, file: Path | None) -> SearchSpace:
    from nas_core.spaces import SearchSpace

    if file is None:
        return SearchSpace.for_problem(problem, preset)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpaceError(f"The search space {file} cannot be read ({error})", fix="check the path") from None
    space = SearchSpace.from_json(text) if file.suffix == ".json" else SearchSpace.from_yaml(text)
    expected = SearchSpace.for_problem(problem, preset)
    if (space.features, space.outputs) != (expected.features, expected.outputs):
        raise SpaceError(
            f"The search space {file} was made for other data: {len(space.features)} features, {space.outputs} outputs",
            allowed=f"a space for {len(expected.features)} features and {expected.outputs} outputs of this data",
            fix="write a space for this data, or search without --space",
        )
    return space


def _search(store: Store, problem: Problem, space: SearchSpace, settings: Any, *, as_json: bool) -> None:
    from nas_core.evaluation.floors import trivial_floors
    from nas_core.runs.registry import start_run
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    # A termination is treated like Ctrl-C: the run is stopped, and what was found is kept and shown.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run = start_run(store, problem, space, settings)
    stopped = _watch(run)
    floors = trivial_floors(problem) if not stopped else None
    document = run_document(RunView(store, run.id), floors)
    _print(document, as_json=as_json)
    if stopped:
        raise typer.Exit(130)
    if document["state"] == "interrupted":
        raise StoreError(f"The run was interrupted: {document['reason']}", fix=f"resume run {run.id} in the studio")


def _watch(run: Run) -> bool:
    """Show the progress of a run until it ends; return whether it was stopped by Ctrl-C."""
    from nas_core.runs.bar import follow_with_bar

    try:
        follow_with_bar(run)
    except KeyboardInterrupt:
        run.stop("Stopped by Ctrl-C")
        run.wait(10.0)
        return True
    return False


def _print(document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, allow_nan=False))
        return
    from nas_core.runs.tables import floors_table, front_table, summary_line

    console = _console()
    console.print(summary_line(document))
    if any(c["on_front"] for c in document["candidates"]):
        console.print(front_table(document))
    if "floors" in document:
        console.print(floors_table(document))


def _run_id(store: Store, text: str) -> str:
    known = [r.id for r in store.runs()]
    if text == "latest" and known:
        return known[0]
    matches = [run_id for run_id in known if run_id.startswith(text)]
    if len(matches) > 1 and text not in matches:
        raise StoreError(f"{text!r} could be {', '.join(matches[:4])}", fix="write more of the id")
    return matches[0] if len(matches) == 1 else text


def _console() -> Console:
    """Return a console that does not squeeze tables into 80 columns when its output goes to a file."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=160)
