"""The pages of the gate: a login form, the way onwards, and refusals; each complete in itself, without a script."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import TYPE_CHECKING

from dashboard.texts import language, text
from dashboard.theme import DARK, LIGHT

if TYPE_CHECKING:
    from starlette.responses import Response

__all__ = ["LOGIN", "guarded", "login_form", "onward", "refusal"]

LOGIN = "/nasight/login"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def guarded(**more: str) -> dict[str, str]:
    """Return the headers of the gate's own answers: nothing is kept, nothing is loaded, no other site frames them."""
    return {
        "Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": POLICY, **more,
    }  # fmt: skip


def refusal(words: str, status: int) -> Response:
    """Return ``words`` as a plain answer."""
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(words, status_code=status, headers=guarded())


def onward(to: str) -> Response:
    """Return a page that opens ``to``.

    No redirect: one that began on another site would leave a strict cookie at home.
    """
    from starlette.responses import HTMLResponse

    return HTMLResponse(_page(f'<p><a href="{escape(to)}">{escape(text("access.opening"))}</a></p>', to),
                        headers=guarded())  # fmt: skip


def login_form(to: str, problem: str = "", *, status: int = 401, wait: int = 0) -> Response:
    """Return the form that asks for a token.

    Args:
        to: Where a right token leads.
        problem: What was wrong with the last one.
        status: Of the answer.
        wait: Seconds until the next try is looked at; 0 for at once.
    """
    from starlette.responses import HTMLResponse

    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    body = f"""<h1>{escape(text("access.login_title"))}</h1>
<p>{escape(text("access.login_intro"))}</p>{told}
<form method="post" action="{LOGIN}"><input type="hidden" name="next" value="{escape(to)}">
<label for="token">{escape(text("access.login_token"))}</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>{escape(text("access.login_enter"))}</button></form>"""
    headers = guarded(**({"Retry-After": str(wait)} if wait else {}))
    return HTMLResponse(_page(body), status_code=status, headers=headers)


def _page(body: str, to: str | None = None) -> str:
    refresh = f'<meta http-equiv="refresh" content="0;url={escape(to)}">' if to is not None else ""
    return f"""<!doctype html>
<html lang="{ {"zh": "zh-Hans"}.get(language(), language()) }"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>NASight</title>{refresh}
<style>{_style()}</style></head><body><main>{body}</main></body></html>"""


@cache
def _style() -> str:
    def both(name: str) -> str:
        return f"light-dark({getattr(LIGHT, name)},{getattr(DARK, name)})"

    return f""":root{{color-scheme:light dark}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif;
background:{both("panel")};color:{both("ink")}}}
main{{width:min(22rem,calc(100vw - 6rem));padding:2rem;border-radius:12px;background:{both("background")};
border:1px solid {both("grid")}}}
h1{{font-size:1.35rem;margin:0 0 .5rem}}p{{margin:0 0 1rem}}label{{display:block;font-weight:600;margin-bottom:.25rem}}
a{{color:{both("accent")}}}
input[type=password]{{width:100%;box-sizing:border-box;padding:.55rem .7rem;font:inherit;border-radius:8px;
border:1px solid {both("muted")};background:transparent;color:inherit}}
button{{margin-top:1rem;width:100%;padding:.6rem;font:inherit;font-weight:600;border:0;border-radius:8px;
background:{both("accent")};color:{both("background")};cursor:pointer}}
[role=alert]{{padding:.6rem .8rem;border-radius:8px;border:1px solid {both("chosen")}}}"""
