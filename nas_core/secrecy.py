"""What must not be written down: passwords, tokens and keys in messages that somebody else worded."""

from __future__ import annotations

import re

__all__ = ["HIDDEN", "masked"]

HIDDEN = "•••"

_IN_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^\s/:@?#]*):(?P<secret>[^\s/@]+)@")
_NAMES = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[-_ ]?key|access[-_ ]?key|private[-_ ]?key|credentials?|sig"
_NAMED = re.compile(
    rf"(?P<name>(?:[A-Za-z0-9]+[-_.])*(?:{_NAMES})(?:[-_][A-Za-z0-9]+)*)"
    r"(?P<sign>[\"']?\s*[=:]\s*)(?P<secret>\"[^\"]*\"|'[^']*'|[^\s\"',;&)\]}]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(
    r"(?P<scheme>\b(?:Authorization:\s*(?:\w+\s+)?|(?:Bearer|Basic)\s+))(?P<secret>[A-Za-z0-9._~+/=-]{6,})",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """Return ``text`` without what looks like a secret.

    Hidden are the password of an address (``scheme://user:SECRET@host``), the value that follows a name such as
    password, token or api_key and "=" or ":", and what follows Bearer or Basic. What was hidden reads ``•••``, so a
    person sees that something stood there.
    """
    text = _IN_ADDRESS.sub(rf"\g<scheme>\g<user>:{HIDDEN}@", text)
    text = _BEARER.sub(rf"\g<scheme>{HIDDEN}", text)
    return _NAMED.sub(rf"\g<name>\g<sign>{HIDDEN}", text)
