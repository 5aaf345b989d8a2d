"""Searching: a new run, or one that goes on."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from nas_core.command.asked import AskedProblem, isolation_of, preference_of, problem_of, space_of
from nas_core.command.beginning import begun_with, earlier_runs, say_warm
from nas_core.command.parsing import parse_kinds, parse_seconds, parse_size
from nas_core.command.room import JsonOption, RunArgument, StoreOption, app, known_run, opened, printed, spoken
from nas_core.errors import RunError

if TYPE_CHECKING:
    from nas_core.data import Problem
    from nas_core.runs.run import Run
    from nas_core.store import Store

__all__ = ["resume", "search"]

READ = "How the data are read"
SPLIT = "How they are split and judged"
SPACE = "What may be built"
BEGIN = "What the search begins with"
CLUSTER = "Where it is trained"
ISOLATE = "Where candidates are trained, and what they may use"
Data = Annotated[
    str,
    typer.Argument(
        help="A built-in data set; a table (CSV, TSV, Parquet); arrays (.npz); a folder or .zip of images, one folder "
        "per class; IDX files; time series (.ts); or openml:NAME, openml:NUMBER.",
        metavar="DATA",
    ),
]
Target = Annotated[str | None, Option(help="Column, or array, to predict.", rich_help_panel=READ)]
Task = Annotated[str | None, Option(help="classification or regression; guessed when not given.", rich_help_panel=READ)]
Kind = Annotated[
    list[str] | None,
    Option(
        help="NAME=numeric, NAME=categorical or NAME=ignore for a column guessed wrong; repeatable.",
        rich_help_panel=READ,
    ),
]
Modality = Annotated[
    str | None, Option(help="tabular, image or sequence; guessed when not given.", rich_help_panel=READ)
]
Size = Annotated[
    str | None,
    Option(help="Height and width of images, as 28x28; others are resized.", metavar="HxW", rich_help_panel=READ),
]
Colour = Annotated[
    str, Option(help="Images in grey, in colour, or auto: grey where all are grey.", rich_help_panel=READ)
]
Length = Annotated[
    int | None, Option(help="Steps of a series, or words of a text, kept at most.", min=1, rich_help_panel=READ)
]
Text = Annotated[str | None, Option(help="Column that holds a text.", rich_help_panel=READ)]
Id = Annotated[
    str | None, Option("--id", help="Long table of series: column that says which series.", rich_help_panel=READ)
]
Clock = Annotated[
    str | None, Option("--time-column", help="Long table of series: column of time.", rich_help_panel=READ)
]
Value = Annotated[
    list[str] | None, Option("--value", help="Column of values of a series; repeatable.", rich_help_panel=READ)
]
Test = Annotated[
    str | None,
    Option(help="A file with the test rows; '' takes none even where one lies beside.", rich_help_panel=READ),
]
Metric = Annotated[
    str | None,
    Option(help="The performance, such as roc_auc, balanced_accuracy, f1 or r2.", rich_help_panel=SPLIT),
]
Groups = Annotated[str | None, Option(help="Column whose rows of one value stay in one part.", rich_help_panel=SPLIT)]
Order = Annotated[
    str | None, Option(help="Column of time: train on the past, test on the future.", rich_help_panel=SPLIT)
]
Weights = Annotated[
    str, Option(help="none, or balanced: all classes count the same in training.", rich_help_panel=SPLIT)
]
Transform = Annotated[
    str, Option(help="What a regression is trained on: none, log1p, yeo_johnson or quantile.", rich_help_panel=SPLIT)
]
Family = Annotated[
    str | None, Option(help="Family of networks; by default the first for the data.", rich_help_panel=SPACE)
]
Preset = Annotated[
    str | None,
    Option(help="A preset of the family: transparent, balanced, accurate, …", show_default="balanced",
           rich_help_panel=SPACE),
]  # fmt: skip
Space = Annotated[Path | None, Option(help="Search space from a YAML or JSON file.", rich_help_panel=SPACE)]
Strategy = Annotated[str, Option(help="How to search, such as nsga2 or random.")]
Weight = Annotated[float, Option(help="λ: 0 = accuracy only … 1 = interpretability only.")]
FamilyWeight = Annotated[
    list[str] | None,
    Option(help="NAME=NUMBER: how much structure, summary or explanation counts; repeatable.", metavar="NAME=NUMBER"),
]
MeasureWeight = Annotated[
    list[str] | None,
    Option(help="NAME=NUMBER: how much a measure counts within its family; repeatable.", metavar="NAME=NUMBER"),
]
GoalLine = Annotated[
    list[str] | None,
    Option(
        "--goal",
        help="NAME=NUMBER: reach this before anything else counts; performance or the metric's own name (in its unit), "
        "interpretability or a measure (score 0 to 1, at least); repeatable.",
        metavar="NAME=NUMBER",
    ),
]
Candidates = Annotated[int | None, Option(help="Stop after this many; 500 without --time.")]
Time = Annotated[str | None, Option(help="Stop after this long: 60s, 5m, 1h30m.")]
Plateau = Annotated[
    int | None, Option(help="Stop when so many candidates have not made the hypervolume grow.", min=1, metavar="N")
]
UntilGoals = Annotated[bool, Option("--until-goals", help="Stop when a candidate reaches every goal.")]
Halving = Annotated[
    bool, Option("--halving/--no-halving", help="Train no further what is almost surely dominated, or all to the end.")
]
Inherit = Annotated[bool, Option("--inherit", help="Begin the training of a child from its parent's weights.")]
Seed = Annotated[int, Option(help="Same seed, same result.")]
Warm = Annotated[
    list[str] | None,
    Option(help="An earlier run on data of the same shape to start from; repeatable. auto: the newest ones that fit.",
           metavar="RUN", rich_help_panel=BEGIN),
]  # fmt: skip
Start = Annotated[
    Path | None,
    Option(help="Architectures to begin with: a JSON list, or what `nasight show --json` printed.", metavar="FILE",
           rich_help_panel=BEGIN),
]  # fmt: skip
Device = Annotated[str, Option(help="auto, cpu, cuda or mps.")]
Executor = Annotated[
    str,
    Option(
        help="local; ray: a cluster of this machine alone; ray://HOST:PORT: the one whose head is there.",
        rich_help_panel=CLUSTER,
    ),
]
TaskCpus = Annotated[float, Option(help="Processor cores of a task on a cluster.", rich_help_panel=CLUSTER)]
TaskGpus = Annotated[
    float, Option(help="GPUs of a task on a cluster; fractions let tasks share one.", rich_help_panel=CLUSTER)
]
PackSize = Annotated[
    int | None,
    Option(help="Candidates asked for at once; more keep more nodes busy.", min=1, rich_help_panel=CLUSTER),
]
Isolate = Annotated[
    bool | None,
    Option(
        "--isolate/--no-isolate", show_default=False, rich_help_panel=ISOLATE,
        help="Train in a process of its own: a candidate that crashes it, hangs or takes too much fails alone.",
    ),
]  # fmt: skip
CandidateSeconds = Annotated[
    str | None,
    Option(help="What a candidate, or a pack, may take at most: 60s, 5m. Isolates.", metavar="TIME",
           rich_help_panel=ISOLATE),
]  # fmt: skip
CandidateMemory = Annotated[
    str | None,
    Option(help="By how much a candidate may make the process grow: 500MB, 2GB. Isolates.", metavar="SIZE",
           rich_help_panel=ISOLATE),
]  # fmt: skip
Memory = Annotated[
    str | None,
    Option(help="What the process may have altogether: 4GB. Isolates.", metavar="SIZE", rich_help_panel=ISOLATE),
]  # fmt: skip


@app.command()
@spoken
def search(
    data: Data, target: Target = None, task: Task = None, kind: Kind = None, modality: Modality = None,
    size: Size = None, colour: Colour = "auto", length: Length = None, text: Text = None, id_column: Id = None,
    time_column: Clock = None, value: Value = None, test: Test = None, metric: Metric = None, groups: Groups = None,
    order: Order = None, class_weights: Weights = "none", target_transform: Transform = "none", family: Family = None,
    preset: Preset = None, space: Space = None, strategy: Strategy = "nsga2", weight: Weight = 0.5,
    family_weight: FamilyWeight = None, measure_weight: MeasureWeight = None, goal: GoalLine = None,
    candidates: Candidates = None, time: Time = None, plateau: Plateau = None, until_goals: UntilGoals = False,
    halving: Halving = False, inherit: Inherit = False, seed: Seed = 0, device: Device = "auto",
    warm: Warm = None, start: Start = None, executor: Executor = "local", task_cpus: TaskCpus = 1.0,
    task_gpus: TaskGpus = 0.0, pack_size: PackSize = None, isolate: Isolate = None,
    candidate_seconds: CandidateSeconds = None, candidate_memory: CandidateMemory = None, memory: Memory = None,
    store: StoreOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Search for networks on DATA, and print what was found."""
    from nas_core.preferences import Preference
    from nas_core.runs.executing import check_executor
    from nas_core.runs.registry import start_run
    from nas_core.runs.settings import RunSettings
    from nas_core.search.registry import check_strategy

    seconds = None if time is None else parse_seconds(time)
    settings = RunSettings(
        strategy=strategy, preference=Preference(weight=weight), seconds=seconds, seed=seed, device=device,
        candidates=500 if candidates is None and seconds is None else candidates, plateau=plateau,
        until_goals=until_goals, halving=halving, inherit=inherit, executor=executor, task_cpus=task_cpus,
        task_gpus=task_gpus, pack_size=pack_size,
        isolation=isolation_of(isolate, candidate_seconds, candidate_memory, memory),
    )  # fmt: skip
    check_strategy(strategy)
    check_executor(settings)
    reading = {
        "target": target, "task": task, "kinds": parse_kinds(kind or []), "modality": modality,
        "size": None if size is None else parse_size(size), "colour": colour, "length": length, "text": text,
        "id": id_column, "time": time_column, "values": value or (), "test": test,
    }  # fmt: skip
    asked = AskedProblem(data, reading, metric, groups, order, class_weights, target_transform)
    where = opened(store)
    try:
        problem = problem_of(asked)
        wish = preference_of(weight, family_weight or [], measure_weight or [], goal or [], problem)
        _stop_at_termination()
        wanted = settings.model_copy(update={"preference": wish})
        searched = space_of(problem, family, preset, space)
        first, runs = begun_with(start, searched), earlier_runs(where, warm or [], problem, searched)
        run = start_run(where, problem, searched, wanted, first=first, made="from a file", warm=runs)
        say_warm(where, run.id)
        _finish(where, run, problem, as_json=as_json)
    finally:
        where.close()


@app.command()
@spoken
def resume(
    run: RunArgument,
    candidates: Annotated[int | None, Option(help="A new budget in candidates, those found included.")] = None,
    time: Annotated[str | None, Option(help="A new budget in time, what was used included.")] = None,
    strategy: Annotated[str | None, Option(help="Go on with another strategy.")] = None,
    plateau: Annotated[
        int | None, Option(help="Another --plateau; 0 for none.", min=0, metavar="N", show_default=False)
    ] = None,
    executor: Annotated[
        str | None, Option(help="Train elsewhere: local, ray or ray://HOST:PORT; as before when not given.")
    ] = None,
    isolate: Isolate = None,
    candidate_seconds: CandidateSeconds = None,
    candidate_memory: CandidateMemory = None,
    memory: Memory = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Continue a run that was stopped or killed, with the candidates it would have asked for."""
    from nas_core.data import Problem, ProblemSpec
    from nas_core.runs.control import Rules
    from nas_core.runs.registry import Isolation, resume_run
    from nas_core.runs.settings import RunSettings

    seconds = None if time is None else parse_seconds(time)
    given = (isolate, candidate_seconds, candidate_memory, memory)
    where = opened(store)
    try:
        record = where.run(known_run(where, run))
        problem = Problem.load(ProblemSpec.model_validate(record.problem))
        _stop_at_termination()
        before = RunSettings.model_validate(record.settings)
        isolated = isolation_of(*given, before=before.isolation)
        continued = resume_run(
            where, record.id, candidates=candidates, seconds=seconds, strategy=strategy, executor=executor,
            rules=None if plateau is None else Rules(before.until_goals, plateau or None),
            isolation=None if isolated == before.isolation else Isolation(isolated),
        )  # fmt: skip
        _finish(where, continued, problem, as_json=as_json)
    finally:
        where.close()


def _finish(store: Store, run: Run, problem: Problem, *, as_json: bool) -> None:
    """Follow a run to its end and print what it found."""
    from nas_core.evaluation.floors import trivial_floors
    from nas_core.runs.report import run_document
    from nas_core.runs.viewer import RunView

    stopped = _watch(run)
    view = RunView(store, run.id)
    # what is measured on a scale of the space is measured on that of the first version
    floors = trivial_floors(problem, view.versions[0].space) if not stopped else None
    document = run_document(view, floors)
    printed(document, as_json=as_json)
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
