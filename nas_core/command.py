"""The engine's commands: search, resume, runs, show. Progress goes to stderr, results to stdout."""

from __future__ import annotations

import functools
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from nas_core.errors import NasightError, RunError, SettingsError, SpaceError, StoreError

if TYPE_CHECKING:
    from rich.console import Console

    from nas_core.data import Problem
    from nas_core.data.dataset import ColumnKind
    from nas_core.runs.run import Run
    from nas_core.spaces import SearchSpace
    from nas_core.store import Store

__all__ = ["app", "parse_kinds", "parse_seconds"]

SHOWN_NOTES = 8
KINDS: dict[str, ColumnKind] = {"numeric": "numeric", "categorical": "categorical", "ignore": "ignore"}

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
    kind: Annotated[
        list[str] | None,
        typer.Option(help="NAME=numeric, NAME=categorical or NAME=ignore for a column guessed wrong; repeatable."),
    ] = None,
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
    from nas_core.runs.registry import start_run
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
        problem = _problem(data, target, task, metric, parse_kinds(kind or []))
        _stop_at_termination()
        run = start_run(opened, problem, _space(problem, preset, space), settings)
        _finish(opened, run, problem, as_json=as_json)
    finally:
        opened.close()


@app.command()
@spoken
def resume(
    run: Annotated[
        str, typer.Argument(help="A run's id or the beginning of it; 'latest' for the newest.", metavar="RUN")
    ],
    candidates: Annotated[int | None, typer.Option(help="A new budget in candidates, those found included.")] = None,
    time: Annotated[str | None, typer.Option(help="A new budget in time, what was used included.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a run that was stopped or killed, with the candidates it would have asked for."""
    from nas_core.data import Problem, ProblemSpec
    from nas_core.runs.registry import resume_run

    seconds = None if time is None else parse_seconds(time)
    opened = _open(store)
    try:
        record = opened.run(_run_id(opened, run))
        problem = Problem.load(ProblemSpec.model_validate(record.problem))
        _stop_at_termination()
        continued = resume_run(opened, record.id, candidates=candidates, seconds=seconds)
        _finish(opened, continued, problem, as_json=as_json)
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


def parse_kinds(texts: list[str]) -> dict[str, ColumnKind]:
    """Return the kinds that texts such as ``age=numeric`` give to columns; a name may hold an equals sign.

    Raises:
        SettingsError: A text is not of this form, or the kind does not exist.
    """
    found: dict[str, ColumnKind] = {}
    for text in texts:
        name, _, kind = text.rpartition("=")
        if not name or kind not in KINDS:
            raise SettingsError(
                f"{text!r} gives no column a kind", allowed=", ".join(f"NAME={k}" for k in KINDS), fix="write it so"
            )
        found[name] = KINDS[kind]
    return found


def _check_strategy(name: str) -> None:
    from nas_core.search.registry import STRATEGIES

    if name not in STRATEGIES:
        raise SettingsError(f"There is no strategy {name!r}", allowed=", ".join(STRATEGIES), fix="choose one of them")


def _open(location: str | None) -> Store:
    from nas_core.store import open_store

    return open_store(location)


def _problem(
    data: str, target: str | None, task: str | None, metric: str | None, kinds: dict[str, ColumnKind]
) -> Problem:
    from nas_core.data import Problem, load_data

    if task not in (None, "classification", "regression"):
        raise SettingsError(
            f"There is no task {task!r}", allowed="classification, regression", fix="choose one of them"
        )
    dataset = load_data(data, target=target, kinds=kinds, task=task)  # type: ignore[arg-type]
    if target is None and dataset.source.kind == "file":
        guess = f"Predicting the column {dataset.target!r} ({dataset.task}); choose another with --target."
        typer.secho(guess, fg="yellow", err=True)
    for note in dataset.notes[:SHOWN_NOTES]:
        typer.secho(f"Note: {note}", fg="yellow", err=True)
    if (more := len(dataset.notes) - SHOWN_NOTES) > 0:
        typer.secho(f"Note: {more} more like these.", fg="yellow", err=True)
    return Problem.create(dataset, metric=metric)


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


def _finish(store: Store, run: Run, problem: Problem, *, as_json: bool) -> None:
    """Follow a run to its end and print what it found."""
    from nas_core.evaluation.floors import trivial_floors
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    stopped = _watch(run)
    floors = trivial_floors(problem) if not stopped else None
    document = run_document(RunView(store, run.id), floors)
    _print(document, as_json=as_json)
    if stopped:
        raise typer.Exit(130)
    if document["state"] == "interrupted":
        raise RunError(f"The run was interrupted: {document['reason']}", fix=f"nasight resume {run.id}")


def _stop_at_termination() -> None:
    """Treat a termination like Ctrl-C: the run is stopped, and what was found is kept and shown."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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
