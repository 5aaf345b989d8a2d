"""One HTML file that replays a finished decision: no server, no network, nothing to install.

``replay_data`` gathers what the file holds, ``replay_page`` puts it into the page with its script and its style. The
script ranks the candidates by the engine's own formulas (``rank.js``), so the slider works wherever the file is opened.
Everything is drawn by a few hundred lines of SVG: plotly.js would add 4.8 MB to each file, which holds a thousand
candidates in less than one, for two plain charts.
"""

from dashboard.replay.gathering import Heard, ReplayPlan, replay_data
from dashboard.replay.page import replay_page
from dashboard.replay.texts import LANGUAGES_IN_FILE, decision_words, replay_words, told_record

__all__ = ["LANGUAGES_IN_FILE", "Heard", "ReplayPlan", "decision_words", "replay_data", "replay_page", "replay_words",
           "told_record"]  # fmt: skip
