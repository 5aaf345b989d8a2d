"""Who is asking, and what they may do: the one place where acts that write are allowed or refused.

A *driver* may do everything, a *viewer* may look at everything and change nothing. Of several drivers one at a time
steers a live run: the browser that started it or acted on it first, until another one takes over or its last tab is
closed. Everything that writes asks here (:func:`require_driver`, :func:`require_wheel`), whatever the pages show; what
acts without a browser (the command line, a run's own thread) is the house itself and may.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from dashboard.texts import text
from nas_core.errors import NasightError, SettingsError

__all__ = [
    "BROWSER",
    "HOME",
    "HOUSE",
    "AccessError",
    "Handover",
    "Keys",
    "Role",
    "Visitor",
    "Wheel",
    "configure",
    "known_tokens",
    "may_steer",
    "may_write",
    "require_driver",
    "require_wheel",
    "steers",
    "visitor",
    "wheel",
]

Role: TypeAlias = Literal["driver", "viewer"]
Reader: TypeAlias = Callable[[Mapping[str, str]], "Visitor | None"]

BROWSER = "nasight_browser"
"""Cookie that tells one browser from another where nobody has to sign in."""
DRIVER_VARIABLE, VIEWER_VARIABLE = "NASIGHT_TOKEN", "NASIGHT_VIEWER_TOKEN"
"""Variables of the environment that give the tokens."""
HOME = ("127.0.0.1", "localhost", "::1")
"""Names of this machine that no other machine reaches."""
SHORTEST = 16
"""Letters of a token: of random ones about 80 bits, out of reach for guessing."""
LASTS = 7 * 86_400
"""Seconds for which a browser stays signed in."""
TICKET = 120
"""Seconds within which a ticket lets its holder in, once."""


class AccessError(NasightError):
    """An act that this visitor may not do."""


@dataclass(frozen=True)
class Visitor:
    """Somebody in front of the studio.

    Attributes:
        role: What they may do.
        browser: Tells their browser from others; all tabs of one browser share it. Empty where it keeps no cookies.
    """

    role: Role
    browser: str = ""


HOUSE = Visitor("driver", "house")
"""What acts without a browser."""


class Keys:
    """The tokens of the studio, and the cookies that stand for them.

    A cookie is ``role.browser.until.signature``; its key is made of the token of its role, so a changed token signs
    everybody out who came with the old one, and a restart with the same token nobody.

    Args:
        driver: Token of drivers; None for a random one.
        viewer: Token of viewers; None for a random one.

    Raises:
        SettingsError: A token is too short, has other signs than an address may carry, or both are the same.
    """

    def __init__(self, driver: str | None = None, viewer: str | None = None) -> None:
        for token in (driver, viewer):
            _check(token)
        self._given: dict[Role, bool] = {"driver": driver is not None, "viewer": viewer is not None}
        self.tokens: dict[Role, str] = {
            "driver": driver or secrets.token_urlsafe(24), "viewer": viewer or secrets.token_urlsafe(24)
        }  # fmt: skip
        if self.tokens["driver"] == self.tokens["viewer"]:
            raise SettingsError(
                "The token of viewers is that of drivers", allowed="two different tokens", fix="change one of them"
            )
        self._keys = {
            role: hashlib.scrypt(token.encode(), salt=b"nasight cookie " + role.encode(), n=2**14, r=8, p=1, dklen=32)
            for role, token in self.tokens.items()
        }
        self._tickets: dict[str, float] = {}
        self._lock = threading.Lock()

    def made_up(self, role: Role) -> bool:
        """Return whether the token of this role is a random one of this start."""
        return not self._given[role]

    def role_of(self, token: str) -> Role | None:
        """Return what a token, or a ticket, entitles to; takes the same time however much of it is right."""
        given, found = token.encode(), None
        for role, known in self.tokens.items():
            if hmac.compare_digest(given, known.encode()):
                found = role
        return found or self._used(token)

    def ticket(self) -> str:
        """Return a word that lets one driver in, once and soon: everybody sees the command that opens a browser."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tickets[made] = time.monotonic() + TICKET
        return made

    def _used(self, given: str) -> Role | None:
        with self._lock:
            until = self._tickets.pop(given, 0.0)
        return "driver" if time.monotonic() < until else None

    def cookie(self, role: Role, *, browser: str | None = None, now: float | None = None) -> str:
        """Return a signed cookie for ``role``."""
        until = int((time.time() if now is None else now) + LASTS)
        said = f"{role}.{browser or secrets.token_hex(16)}.{until}"
        return f"{said}.{self._signature(role, said)}"

    def visitor(self, cookie: str, *, now: float | None = None) -> Visitor | None:
        """Return whom a cookie stands for; None for one that is not ours, was changed, or is too old."""
        said, _, signature = cookie.rpartition(".")
        parts = said.split(".")
        if len(parts) != 3 or parts[0] not in self._keys or not parts[2].isdigit():
            return None
        role: Role = "driver" if parts[0] == "driver" else "viewer"
        if not hmac.compare_digest(signature.encode(), self._signature(role, said).encode()):
            return None
        alive = int(parts[2]) > (time.time() if now is None else now)
        return Visitor(role, parts[1]) if alive else None

    def _signature(self, role: Role, said: str) -> str:
        made = hmac.new(self._keys[role], said.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=")


def known_tokens(file: Path | None) -> tuple[str | None, str | None]:
    """Return the tokens of drivers and of viewers that a file (two lines) or the environment gives, None for neither.

    Raises:
        SettingsError: The file cannot be read, holds no token, or others may read it.
    """
    if file is None:
        return os.environ.get(DRIVER_VARIABLE) or None, os.environ.get(VIEWER_VARIABLE) or None
    how = "a file with the token of drivers in its first line and, if you like, that of viewers in its second"
    try:
        mode = file.stat().st_mode
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {file} cannot be read ({type(error).__name__})", allowed=how,
                            fix="check the path") from error  # fmt: skip
    if os.name == "posix" and mode & 0o077:
        raise SettingsError(f"Others on this machine may read the token file {file}", allowed="its owner alone",
                            fix=f"chmod 600 {file}")  # fmt: skip
    if not 1 <= len(lines) <= 2:
        raise SettingsError(f"The token file {file} has {len(lines)} lines", allowed=how, fix="write one or two tokens")
    return lines[0], lines[1] if len(lines) == 2 else None


def _check(token: str | None) -> None:
    if token is None:
        return
    if len(token) < SHORTEST:
        raise SettingsError(
            f"The token has {len(token)} letters", allowed=f"at least {SHORTEST}",
            fix='make one with: python -c "import secrets; print(secrets.token_urlsafe(24))"',
        )  # fmt: skip
    if not all(c.isascii() and (c.isalnum() or c in "-_.~") for c in token):
        raise SettingsError(
            "The token has signs that an address cannot carry", allowed="A–Z a–z 0–9 - _ . ~",
            fix='make one with: python -c "import secrets; print(secrets.token_urlsafe(24))"',
        )  # fmt: skip


@dataclass(frozen=True)
class Handover:
    """That another browser took over a run.

    Attributes:
        when: Seconds since 1970.
        former: The browser that steered it before.
    """

    when: float
    former: str


class Wheel:
    """Which browser steers which live run; one at a time."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._handovers: dict[str, Handover] = {}
        self._tabs: Counter[str] = Counter()
        self._lock = threading.Lock()

    def opened(self, browser: str) -> None:
        """A tab of this browser has connected."""
        with self._lock:
            self._tabs[browser] += 1

    def closed(self, browser: str) -> None:
        """A tab of this browser is gone; with the last one the wheel is free."""
        with self._lock:
            self._tabs[browser] -= 1
            if self._tabs[browser] <= 0:
                del self._tabs[browser]

    def tabs(self) -> int:
        """Return how many tabs are connected."""
        with self._lock:
            return self._tabs.total()

    def taken(self, run_id: str, browser: str) -> bool:
        """Return whether another browser that is still there steers the run."""
        with self._lock:
            return self._taken(run_id, browser)

    def claim(self, run_id: str, browser: str) -> bool:
        """Take the wheel if nobody else has it; return whether it is held now."""
        with self._lock:
            if self._taken(run_id, browser):
                return False
            self._holders[run_id] = browser
            return True

    def take_over(self, run_id: str, browser: str) -> None:
        """Take the wheel from whoever has it; that browser is told."""
        with self._lock:
            former = self._holders.get(run_id)
            if former is not None and former != browser:
                self._handovers[run_id] = Handover(time.time(), former)
            self._holders[run_id] = browser

    def lost(self, run_id: str, browser: str) -> Handover | None:
        """Return when the run was taken from this browser; None where it was not, or it has it again."""
        with self._lock:
            found = self._handovers.get(run_id)
            return found if found and found.former == browser and self._holders.get(run_id) != browser else None

    def holds(self, run_id: str, browser: str) -> bool:
        """Return whether this browser steers the run."""
        with self._lock:
            return self._holders.get(run_id) == browser

    def _taken(self, run_id: str, browser: str) -> bool:
        holder = self._holders.get(run_id)
        return holder is not None and holder != browser and self._tabs[holder] > 0


wheel = Wheel()
"""Of this process."""


def _anybody(cookies: Mapping[str, str]) -> Visitor | None:
    return Visitor("driver", cookies.get(BROWSER, ""))


_reader: Reader = _anybody


def configure(reader: Reader | None = None) -> None:
    """Set how this process tells visitors by their cookies; None: everybody drives."""
    global _reader
    _reader = reader or _anybody


def visitor() -> Visitor:
    """Return on whose behalf this thread acts. Whoever cannot be told, because a cookie ran out, may only look."""
    if "streamlit.runtime.scriptrunner_utils.script_run_context" not in sys.modules:
        return HOUSE
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    if get_script_run_ctx(suppress_warning=True) is None:
        return HOUSE
    import streamlit as st

    return _reader(st.context.cookies.to_dict()) or Visitor("viewer")


def may_write() -> bool:
    """Return whether this visitor may write, for pages that show what they may do."""
    return visitor().role == "driver"


def may_steer(run_id: str) -> bool:
    """Return whether this visitor may steer a live run now."""
    who = visitor()
    return who.role == "driver" and (who == HOUSE or not wheel.taken(run_id, who.browser))


def steers(run_id: str) -> bool:
    """Return whether this visitor is the one who steers a live run."""
    return wheel.holds(run_id, visitor().browser)


def require_driver() -> Visitor:
    """Return the visitor, who may write.

    Raises:
        AccessError: They may only look.
    """
    who = visitor()
    if who.role != "driver":
        raise AccessError(text("access.viewer_given"), allowed=text("access.viewer_allowed"),
                          fix=text("access.viewer_fix"))  # fmt: skip
    return who


def require_wheel(run_id: str) -> None:
    """Let this visitor steer a live run, from now on as the only one.

    Raises:
        AccessError: They may only look, or another browser steers it.
    """
    who = require_driver()
    if who != HOUSE and not wheel.claim(run_id, who.browser):
        raise AccessError(text("access.taken_given", run=run_id), allowed=text("access.taken_allowed"),
                          fix=text("access.taken_fix"))  # fmt: skip
