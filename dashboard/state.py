"""What this browser tab looks at: the URL names the run and the candidate, the session remembers the draft.

Every tab and every reload is a new session, so whatever must survive is in the URL (``?run=…&cand=…&draft=…``). The
draft (the data and the space that a person prepares before pressing start) is a file beside the store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard import process
from dashboard.drafts import Draft, find_draft, keep_draft
from dashboard.texts import LANGUAGES, preferred, set_language, speak_by, text
from nas_core.errors import NasightError

__all__ = ["CHOOSING", "PAGES", "WAITING", "Draft", "Selection", "address", "choose", "choose_language", "draft",
           "is_dark", "load", "open_page", "page_link", "save", "save_draft", "shown_errors", "tell",
           "tell_fact"]  # fmt: skip

PAGES = ("data", "space", "run", "candidate", "compare", "insight", "report")
WAITING = "nasight_waiting"
"""Session key: this tab waits for a run that is being prepared."""
CHOOSING = "nasight_choosing"
"""Session key: this tab wants the start form even while another run is live."""
_SELECTION, _DRAFT, _TOLD, _WISH = "nasight_selection", "nasight_draft", "nasight_told", "nasight_wish"
_FACT = "nasight_fact"
_DRAFT_NAME = "nasight_draft_name"
_LANGUAGE, _LANGUAGE_WISH = "nasight_language", "nasight_language_wish"
_SPOKEN = "nasight_spoken"
_OWN = "nasight_own_runs"
CARRIED = ("lang", "tour")
"""Query parameters that go with a person from page to page, whatever is selected."""


@dataclass(frozen=True)
class Selection:
    """The run and the candidate in view; None where nothing is chosen."""

    run: str | None = None
    candidate: str | None = None

    def query(self) -> dict[str, str]:
        """Return the query parameters that name this selection."""
        return {k: v for k, v in (("run", self.run), ("cand", self.candidate)) if v}


def load() -> Selection:
    """Return what this tab looks at: the URL where it says so, else what the session saw last."""
    _speak()  # a fragment's rerun has a fresh context and skips the frame
    if (wish := st.session_state.pop(_WISH, None)) is not None:
        save(wish)
    run, candidate = st.query_params.get("run"), st.query_params.get("cand")
    known: Selection = st.session_state.get(_SELECTION, Selection())
    if run is None:
        selection = known if candidate is None else replace(known, candidate=candidate)
    else:
        selection = Selection(run, candidate or (known.candidate if known.run == run else None))
    if selection.run is None and _nothing_yet():
        selection = replace(selection, run=process.example_run())
    save(selection)
    _name_draft()
    return selection


def _nothing_yet() -> bool:
    """Return True where a person who has chosen nothing has no run of their own either, nor one on its way."""
    busy = st.session_state.get(CHOOSING) or st.session_state.get(WAITING) or process.latest_launch() is not None
    if busy or st.session_state.get(_OWN) or process.example_run() is None:
        return False
    st.session_state[_OWN] = bool(process.store().runs())  # asked until there is one: a store may hold many
    return not st.session_state[_OWN]


def _speak() -> None:
    """Set the language: what was just chosen, else what the URL says, else what was chosen before, else the browser's.

    What a person chose, here or by a link, is written into the URL of every page they come to.
    """
    wish, told = st.session_state.pop(_LANGUAGE_WISH, None), st.query_params.get("lang")
    if wish is not None or told in LANGUAGES:
        st.session_state[_LANGUAGE] = wish or told
    chosen = st.session_state.get(_LANGUAGE)
    if chosen is not None and told != chosen:
        st.query_params["lang"] = chosen
    st.session_state[_SPOKEN] = chosen or preferred(st.context.locale)
    set_language(st.session_state[_SPOKEN])
    speak_by(_spoken)


def _spoken() -> str:
    """Return the language that this session spoke last: a callback runs before the script, and words may be its own."""
    if get_script_run_ctx(suppress_warning=True) is None:  # a thread of its own: no session
        return "en"
    spoken: str = st.session_state.get(_SPOKEN, "en")
    return spoken


def choose_language(code: str) -> None:
    """From a callback: speak the language ``code`` from the next draw on."""
    st.session_state[_LANGUAGE_WISH] = code


def address(selection: Selection) -> dict[str, str]:
    """Return the query parameters of a link to ``selection``: what it names, the language, the step of the tour."""
    return selection.query() | {name: st.query_params[name] for name in CARRIED if name in st.query_params}


def choose(selection: Selection) -> None:
    """From a callback: look at ``selection`` from the next draw on (a callback cannot write the URL)."""
    st.session_state[_WISH] = selection


def save(selection: Selection) -> None:
    """Make ``selection`` what this tab looks at, and write it into the URL; not from a callback, see :func:`choose`."""
    st.session_state[_SELECTION] = selection
    for key, value in (("run", selection.run), ("cand", selection.candidate)):
        if value is None:
            st.query_params.pop(key, None)
        elif st.query_params.get(key) != value:
            st.query_params[key] = value


def open_page(page: str, selection: Selection | None = None) -> NoReturn:
    """Switch to ``page`` (one of :data:`PAGES`), keeping or replacing the selection."""
    chosen = load() if selection is None else selection
    st.session_state[_SELECTION] = chosen
    st.switch_page(f"pages/{page}.py", query_params=address(chosen))


def page_link(page: str, label: str, selection: Selection | None = None, *, icon: str | None = None) -> None:
    """Draw a link to ``page`` that carries the selection."""
    chosen = load() if selection is None else selection
    st.page_link(f"pages/{page}.py", label=label, icon=icon, query_params=address(chosen))


def draft() -> Draft:
    """Return what this tab has prepared for the next run; after a reload, what the URL names."""
    if _DRAFT not in st.session_state and (name := st.query_params.get("draft")) is not None:
        found = find_draft(process.store(), name)
        st.session_state[_DRAFT] = found or Draft()
        st.session_state[_DRAFT_NAME] = name if found else None
        if found is None:
            st.query_params.pop("draft", None)
            tell(text("studio.draft_unknown", name=name))
    return st.session_state.get(_DRAFT, Draft())


def save_draft(prepared: Draft) -> None:
    """Remember ``prepared`` for this tab, and for its next reload from the next draw on."""
    st.session_state[_DRAFT] = prepared
    st.session_state[_DRAFT_NAME] = keep_draft(process.store(), prepared)


def _name_draft() -> None:
    """Write the name of this tab's draft into the URL, also after a link that did not carry it."""
    draft()
    name = st.session_state.get(_DRAFT_NAME)
    if name is not None and st.query_params.get("draft") != name:
        st.query_params["draft"] = name


def is_dark() -> bool:
    """Return True when the browser shows the dark appearance."""
    return st.context.theme.type == "dark"


def tell(message: str) -> None:
    """Keep a message from a callback, which cannot draw, for the next draw of the page."""
    st.session_state[_TOLD] = message


def tell_fact(message: str) -> None:
    """Keep a message that is no error for the next draw of a page."""
    st.session_state[_FACT] = message


@contextmanager
def shown_errors() -> Iterator[None]:
    """Show an error that is meant for a person as a message, and go on after the block; everything else passes."""
    if told := st.session_state.pop(_TOLD, None):
        st.error(told)
    if fact := st.session_state.pop(_FACT, None):
        st.toast(fact, icon=":material/info:", duration="long")
    try:
        yield
    except NasightError as error:
        st.error(str(error))
