"""The network of a table as source text: the encoding of each feature, and one small network for each group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas_core.exports.pieces import columns as pieces
from nas_core.exports.pieces import rows as row_pieces
from nas_core.exports.writing import Written, literal, noted, numbers

if TYPE_CHECKING:
    from torch import Tensor, nn

    from nas_core.explanations.candidate import TrainedCandidate

__all__ = ["features_read", "write_table"]

ACTIVATIONS = {
    "relu": "torch.relu({})", "sigmoid": "torch.sigmoid({})", "tanh": "torch.tanh({})",
    "gelu": "nn.functional.gelu({})", "silu": "nn.functional.silu({})", "softplus": "nn.functional.softplus({})",
    "identity": "{}",
}  # fmt: skip
DIRECTIONS = {1: "never lowers the output", -1: "never raises the output"}


def features_read(candidate: TrainedCandidate) -> tuple[int, ...]:
    """Return the features that an exported model asks for: those it uses; the first one where it uses none."""
    return candidate.used or (0,)


def write_table(candidate: TrainedCandidate) -> Written:
    """Write a network of feature groups; marks of monotone features are worked into the weights.

    A weight under a mark enters the file as the network uses it, sign · |weight|, so plain linear layers are left.
    """
    problem, used = candidate.problem, features_read(candidate)
    specs = [problem.dataset.features[j] for j in used]
    written = Written(input="rows: (N, features) float64, a code for each category, NaN = missing")
    written.constants = [
        ("FEATURES", _column([s.name for s in specs])),
        ("CATEGORIES", _column({s.name: list(s.levels) for s in specs if s.kind == "categorical"})),
    ]
    written.rows = "table_rows(rows, FEATURES, CATEGORIES)"
    written.need(row_pieces.number_of, row_pieces.table_rows, pieces.Feature)
    encoding, fitted = candidate.architecture.values["encoding"], problem.encoder.state()["parts"]
    for at, j in enumerate(candidate.used):
        made = _feature(fitted[j], bool(problem.encoder.has_indicator[j]), encoding, written)
        written.reading.append(f"{made},  # {noted(specs[at].name)}")
    if candidate.used:
        written.reading = ["self.features = nn.ModuleList([", *(f"    {x}" for x in written.reading), "])"]
        written.forward = [
            "encoded = [feature(rows[:, at]) for at, feature in enumerate(self.features)]",
            "columns = torch.cat(encoded, dim=1)",
        ]
    else:
        written.forward = ["columns = rows.float()  # this network ignores its inputs"]
    _network(candidate, written)
    return written


def _column(value: list[Any] | dict[str, Any]) -> str:
    """Return a literal with one entry a line."""
    if not value:
        return literal(value)
    if isinstance(value, dict):
        return "{\n" + "".join(f"    {literal(k)}: {literal(v)},\n" for k, v in value.items()) + "}"
    return "[\n" + "".join(f"    {literal(v)},\n" for v in value) + "]"


def _feature(state: dict[str, Any], flagged: bool, encoding: str, written: Written) -> str:
    """Return what makes the encoded columns of one feature from what was fitted to it."""
    if "codes" in state:
        written.need(pieces.OneHot)
        made = f"OneHot({numbers(state['codes'])})"
    else:
        made = _numeric(encoding, state["encodings"][encoding], written)
    return f"Feature({made}, fill={literal(float(state['fill']))}, flagged={flagged})"


def _numeric(encoding: str, state: dict[str, Any], written: Written) -> str:
    if encoding == "standardised":
        written.need(pieces.Standardised)
        return f"Standardised(mean={literal(state['mean'])}, sd={literal(state['sd'])})"
    if encoding == "quantile":
        written.need(pieces.Interpolation, pieces.Quantile)
        knots, ranks = two_knots(state["knots"], state["ranks"])
        return f"Quantile({numbers(knots)}, {numbers(ranks)})"
    if encoding == "piecewise":
        written.need(pieces.Bins)
        return f"Bins({numbers(state['edges'])})"
    written.need(pieces.Waves)
    low, high = literal(state["low"]), literal(state["high"])
    return f"Waves(low={low}, high={high}, frequencies={state['frequencies']})"


def two_knots(xs: Sequence[float], ys: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return knots of the same function, at least two of them."""
    if len(xs) > 1:
        return list(xs), list(ys)
    return [xs[0], xs[0] + max(1.0, abs(xs[0]))], [ys[0], ys[0]]


def _network(candidate: TrainedCandidate, written: Written) -> None:
    """Write a class for each kind of group, and the network that adds the groups up."""
    names, marks = candidate.problem.feature_names, candidate.architecture.values["marks"]
    outputs = candidate.outputs
    kinds: dict[str, str] = {}
    made, parts, start = [], [], 0
    modules: Any = candidate.module.groups
    for group, module in zip(candidate.groups, modules):
        width = int(module.columns.numel())
        body, weights = _group(module, outputs)
        kind = kinds.setdefault(body, f"Group{'' if not kinds else len(kinds) + 1}")
        marked = [DIRECTIONS[int(marks[str(f)])] for f in group.features if int(marks.get(str(f), 0))]
        said = noted(*(names[f] for f in group.features)) + (f" ({'; '.join(marked)})" if marked else "")
        name = f"group{group.index + 1}"
        made.append(f"self.{name} = {kind}({width})  # {said}")
        parts.append(f"self.{name}(columns{_columns(candidate, group.features)})")
        written.weights |= {f"network.{name}.{key}": value for key, value in weights.items()}
        start += width
    written.weights["network.bias"] = candidate.module.bias.detach()
    written.classes += [f"class {kind}(nn.Module):\n{body}" for body, kind in kinds.items()]
    written.classes.append(_sum(made, parts, outputs))


def _columns(candidate: TrainedCandidate, features: tuple[int, ...]) -> str:
    """Return the index that takes the encoded columns of a group: one slice, or a list where they lie apart."""
    places = [at for j in features for at in range(candidate.span(j).start, candidate.span(j).stop)]
    if places == list(range(places[0], places[-1] + 1)):
        return f"[:, {places[0]}:{places[-1] + 1}]"
    return f"[:, {places}]"


def _sum(made: list[str], parts: list[str], outputs: int) -> str:
    indented = "".join(f"        {line}\n" for line in made)
    listed = "".join(f"            {part},\n" for part in parts)
    return (
        "class Network(nn.Module):\n"
        '    """output = bias + the sum of what each group of features contributes."""\n\n'
        "    def __init__(self) -> None:\n"
        "        super().__init__()\n"
        f"        self.bias = nn.Parameter(torch.zeros({outputs}))\n{indented}\n"
        "    def contributions(self, columns: Tensor) -> list[Tensor]:\n"
        '        """Return what each group adds to the output, (N, C) each."""\n'
        f"        return [\n{listed}        ]\n\n"
        "    def forward(self, columns: Tensor) -> Tensor:\n"
        "        total = self.bias.expand(columns.shape[0], -1)\n"
        "        for contribution in self.contributions(columns):\n"
        "            total = total + contribution\n"
        "        return total\n"
    )


def _group(module: nn.Module, outputs: int) -> tuple[str, dict[str, Tensor]]:
    """Return the body of a group's class and its weights by name."""
    import torch
    from torch import nn

    made: list[str] = []
    steps: list[str] = []
    weights: dict[str, Tensor] = {}
    layers: Any = module.layers
    reads: Any = module.reads
    for at, layer in enumerate(layers, start=1):
        weight, bias = effective(layer.linear), layer.linear.bias
        inputs = "columns" if at == 1 else str(weight.shape[1])
        made.append(
            f"self.layer{at} = nn.Linear({inputs}, {weight.shape[0]}{'' if bias is not None else ', bias=False'})"
        )
        weights[f"layer{at}.weight"] = weight
        if bias is not None:
            weights[f"layer{at}.bias"] = bias.detach()
        before = "x" if at == 1 else f"h{at - 1}"
        step = f"self.layer{at}({before})"
        if not isinstance(layer.norm, nn.Identity):
            kind = "LayerNorm" if isinstance(layer.norm, nn.LayerNorm) else "BatchNorm1d"
            made.append(f"self.norm{at} = nn.{kind}({weight.shape[0]})")
            weights |= {f"norm{at}.{key}": value for key, value in normal(layer.norm).items()}
            step = f"self.norm{at}({step})"
        step = ACTIVATIONS[type(layer.activation).__name__.lower()].format(step)
        steps.append(f"h{at} = {step}" + (f" + {before}" if layer.residual else ""))
    answers = []
    for key, read in reads.items():
        at, weight = int(key), effective(read)
        inputs = "columns" if not at else str(weight.shape[1])
        made.append(f"self.read{at} = nn.Linear({inputs}, {outputs}, bias=False)")
        weights[f"read{at}.weight"] = weight
        answers.append(f"self.read{at}({f'h{at}' if at else 'x'})")
    if not made:
        raise AssertionError("a group without a readout")
    body = (
        f'    """{"A weighted sum of the columns." if not len(layers) else _words(len(layers))}"""\n\n'
        "    def __init__(self, columns: int) -> None:\n        super().__init__()\n"
        + "".join(f"        {line}\n" for line in made)
        + "\n    def forward(self, x: Tensor) -> Tensor:\n"
        + "".join(f"        {line}\n" for line in steps)
        + f"        return {' + '.join(answers)}\n"
    )
    return body, {key: value.detach().to(torch.float32) if value.is_floating_point() else value
                  for key, value in weights.items()}  # fmt: skip


def _words(depth: int) -> str:
    return f"A network of {depth} hidden layer{'s' if depth > 1 else ''} on the columns of one group."


def effective(linear: nn.Module) -> Tensor:
    """Return the weights that a linear layer uses, with signs and masks worked in."""
    from nas_core.spaces.tabular.module import ConstrainedLinear

    weight: Any = linear.effective() if isinstance(linear, ConstrainedLinear) else linear.weight
    found: Tensor = weight.detach()
    return found


def normal(norm: nn.Module) -> dict[str, Tensor]:
    """Return the state of a plain normalisation layer that computes the same."""
    import torch
    from torch import nn

    from nas_core.spaces.tabular.module import BatchNorm

    state: Any = {key: value.detach() for key, value in norm.state_dict().items()}
    if isinstance(norm, nn.LayerNorm):
        return dict(state)
    if isinstance(norm, BatchNorm) and norm.positive:
        state["weight"] = state["weight"].abs()
    return {**state, "num_batches_tracked": torch.tensor(0)}
