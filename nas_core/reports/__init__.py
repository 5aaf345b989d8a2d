"""What was decided about a run, written down so that somebody else can check it and do it again.

``decision_record`` gathers the facts, ``keep_decision`` puts them into the run's own history, ``record_markdown`` and
``record_html`` write them for people, ``retrained_choice`` does the training again and compares, and ``final_test``
opens the test part, once and noted.
"""

from nas_core.reports.document import record_sections
from nas_core.reports.final_test import final_test, final_tests_of
from nas_core.reports.gathering import decision_record
from nas_core.reports.keeping import decisions_of, keep_decision
from nas_core.reports.record import (
    Act,
    Alternative,
    BudgetUsed,
    CandidateFacts,
    Caveat,
    DataFacts,
    DecisionRecord,
    FinalTest,
    Remake,
    SpaceStep,
)
from nas_core.reports.repeating import Repeat, retrained_choice, searched_again
from nas_core.reports.words import WORDS
from nas_core.reports.writing import record_html, record_markdown, record_page

__all__ = [
    "WORDS",
    "Act",
    "Alternative",
    "BudgetUsed",
    "CandidateFacts",
    "Caveat",
    "DataFacts",
    "DecisionRecord",
    "FinalTest",
    "Remake",
    "Repeat",
    "SpaceStep",
    "decision_record",
    "decisions_of",
    "final_test",
    "final_tests_of",
    "keep_decision",
    "record_html",
    "record_markdown",
    "record_page",
    "record_sections",
    "retrained_choice",
    "searched_again",
]
