"""No chart offers to send its data to another host."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from dashboard import theme

STUDIO = Path(__file__).resolve().parents[2] / "dashboard"
CONFIGS = {name: getattr(theme, name) for name in theme.__all__ if name.startswith("PLOT")}


def charts() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of plotly_chart with the place where it stands."""
    for path in sorted(STUDIO.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "plotly_chart":
                yield f"{path.name}:{node.lineno}", node


def test_every_figure_has_a_configuration_of_the_theme() -> None:
    found = {place: next((k.value for k in call.keywords if k.arg == "config"), None) for place, call in charts()}
    assert len(found) > 40
    other = [place for place, value in found.items() if not (isinstance(value, ast.Name) and value.id in CONFIGS)]
    assert not other, "give config=PLOT (or PLOT_STILL, PLOT_ZOOMED) of dashboard.theme"


def test_the_configurations_of_the_theme_send_nothing_and_show_no_logo() -> None:
    assert len(CONFIGS) == 3
    assert all(c["showSendToCloud"] is False and c["displaylogo"] is False for c in CONFIGS.values())


def test_every_element_that_draws_with_plotly_loads_it_where_that_is_switched_off() -> None:
    drawing = [path for path in STUDIO.rglob("*.js") if re.search(r"Plotly\.(react|newPlot|plot)\(", path.read_text())]
    assert {path.name for path in drawing} == {"chart.js", "front.js"}
    assert all(re.search(r'loadPlotly.* from "\./loading\.js"', path.read_text()) for path in drawing)
