"""The gate by real requests to a started server: what is served without a token, with one, and to a viewer."""

from __future__ import annotations

import asyncio
import http.client
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from dashboard.access import LASTS, Keys, known_tokens
from dashboard.assets import ROUTE, assets
from dashboard.gate import Door, Tries, safe_next
from dashboard.server import free_port
from nas_core.errors import SettingsError

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "browser"))
from studio_process import Studio, start_gated

DRIVER, VIEWER = "driver-token-of-the-test", "viewer-token-of-the-test"
PAGE = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio that knows two tokens."""
    port = free_port("127.0.0.1", 23_000 + os.getpid() % 5_000)
    running = start_gated(tmp_path_factory.mktemp("gated"), port, DRIVER, VIEWER)
    yield running
    running.stop()


def ask(
    studio: Studio, path: str, method: str = "GET", body: str | None = None, **headers: str
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of one answer; redirects are not followed."""
    connection = http.client.HTTPConnection(studio.url.removeprefix("http://"), timeout=20)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    read = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, read


def cookie(studio: Studio, token: str) -> str:
    status, headers, _ = ask(studio, f"/?token={token}", **PAGE)
    assert status == 200
    return headers["set-cookie"].split(";")[0]


def stream(studio: Studio, **headers: str) -> str:
    """Open Streamlit's websocket and return what was spoken over it: its protocol, or the status of the refusal."""

    async def opened() -> str:
        url = studio.url.replace("http", "ws") + "/_stcore/stream"
        try:
            async with connect(url, subprotocols=["streamlit"], additional_headers=headers) as socket:  # type: ignore[list-item]
                return str(socket.subprotocol)
        except InvalidStatus as error:
            return str(error.response.status_code)

    return asyncio.run(opened())


SERVED = [
    "/", "/run", "/data?run=x", "/_stcore/health", "/_stcore/host-config", "/static/index.html", "/favicon.png",
    f"{ROUTE}/{next(iter(assets()))}", "/nasight/cards/example-breast-cancer/1", "/media/x.png",
    "/component/x/index.html", "/nasight/unknown", "/%2e%2e/", "//", "/_stcore/upload_file/a/b", "/nasight/login",
]  # fmt: skip


@pytest.mark.parametrize("path", SERVED)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_nothing_is_served_without_a_token(studio: Studio, path: str, method: str) -> None:
    status, headers, said = ask(studio, path, method)
    assert status in (401, 403)
    assert "streamlit" not in said.lower()
    assert "set-cookie" not in headers


def test_a_page_asks_for_the_token_in_the_readers_language_and_loads_nothing(studio: Studio) -> None:
    status, headers, said = ask(studio, "/run?run=<b>&cand='\"", **PAGE, Accept_Language="zh-CN,zh;q=0.9")
    assert status == 401
    assert "登录 NASight" in said
    assert 'lang="zh-Hans"' in said
    assert "<script" not in said
    assert 'name="next" value="/run?run=%3Cb%3E&amp;cand=%27%22"' in said
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_the_websocket_is_closed_to_those_outside_and_open_to_both_roles(studio: Studio) -> None:
    assert stream(studio) == "403"
    assert stream(studio, Cookie="nasight_access_1=driver.a.1.b; nasight_browser=x") == "403"
    for token in (DRIVER, VIEWER):
        assert stream(studio, Cookie=cookie(studio, token)) == "streamlit"


def test_a_token_in_the_address_becomes_a_strict_cookie_and_leaves_the_address(studio: Studio) -> None:
    status, headers, said = ask(studio, f"/run?run=a%26b&token={DRIVER}&lang=zh", **PAGE)
    assert status == 200
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in headers["set-cookie"].split(";")}
    assert "0;url=/run?run=a%26b&amp;lang=zh" in said
    assert DRIVER not in said + str(headers)
    status, _, said = ask(studio, "/run", **PAGE, Cookie=headers["set-cookie"].split(";")[0])
    assert status == 200
    assert "streamlit" in said.lower()


def test_a_viewer_may_fetch_and_not_send(studio: Studio) -> None:
    viewer, driver = cookie(studio, VIEWER), cookie(studio, DRIVER)
    assert ask(studio, "/", **PAGE, Cookie=viewer)[0] == 200
    status, _, said = ask(studio, "/_stcore/upload_file/a/b", "PUT", "x", Cookie=viewer)
    assert status == 403
    assert "viewer" in said
    assert "viewer" not in ask(studio, "/_stcore/upload_file/a/b", "PUT", "x", Cookie=driver)[2]


def test_the_form_lets_in_and_leads_nowhere_else(studio: Studio) -> None:
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    body = urlencode({"token": f" {VIEWER} ", "next": "/run?run=a"})
    status, headers, said = ask(studio, "/nasight/login", "POST", body, **form)
    assert status == 200
    assert headers["set-cookie"].split("=")[1].startswith("viewer.")
    assert "0;url=/run?run=a" in said
    away = urlencode({"token": VIEWER, "next": "//elsewhere.example/"})
    assert 'url=/"' in ask(studio, "/nasight/login", "POST", away, **form)[2]
    assert ask(studio, "/nasight/login", "POST", body, **form, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(studio, "/nasight/login", "POST", "x" * 5_000, **form)[0] == 413


def test_a_link_from_another_site_is_asked_once_more_from_here(studio: Studio) -> None:
    status, headers, said = ask(studio, "/run", **PAGE, Sec_Fetch_Site="cross-site")
    assert (status, "set-cookie" in headers) == (200, False)
    assert "0;url=/run" in said
    assert ask(studio, "/run", **PAGE, Sec_Fetch_Site="same-origin")[0] == 401


def test_health_says_no_more_than_ok_to_those_outside(studio: Studio) -> None:
    assert ask(studio, "/nasight/health")[::2] == (200, '{"ok":true}')
    status, _, said = ask(studio, "/nasight/health", Cookie=cookie(studio, VIEWER))
    assert status == 200
    assert '"store_reachable":true' in said
    assert '"runs_live":0' in said
    assert str(studio.store) not in said


def test_given_tokens_are_not_printed(studio: Studio) -> None:
    assert DRIVER not in studio.said
    assert VIEWER not in studio.said


def test_after_five_wrong_tokens_even_the_right_one_has_to_wait(studio: Studio) -> None:
    inside = cookie(studio, DRIVER)
    for _ in range(5):
        status, _, said = ask(studio, "/?token=wrong", **PAGE)
        assert status == 401
        assert "not right" in said
    status, headers, said = ask(studio, f"/?token={DRIVER}", **PAGE)
    assert status == 429
    assert 0 < int(headers["retry-after"]) <= 60
    assert "wait" in said
    assert ask(studio, "/", **PAGE, Cookie=inside)[0] == 200  # whoever is in stays in


def test_wrong_tokens_are_counted_by_address_and_forgotten() -> None:
    tries = Tries(most=2, seconds=10, kept=2)
    for now in (0.0, 1.0):
        assert tries.wait("a", now) == 0
        tries.wrong("a", now)
    assert tries.wait("a", 2.0) == 8
    assert tries.wait("b", 2.0) == 0
    assert tries.wait("a", 10.5) == 0
    tries.wrong("2001:db8::1", 0.0)
    tries.wrong("2001:db8::2", 0.0)
    assert tries.wait("2001:db8::3", 1.0) == 9
    for other in "cd":
        tries.wrong(other, 0.0)
    assert tries.wait("a", 1.0) == 0  # only the latest two addresses are remembered


@pytest.mark.parametrize(
    ("wanted", "to"),
    [("/run?a=1", "/run?a=1"), ("//x.example", "/"), ("/\\x.example", "/"), ("https://x.example", "/"), ("", "/"),
     ("/nasight/login", "/"), ("/a\nb", "/")],
)  # fmt: skip
def test_nobody_is_led_to_another_site(wanted: str, to: str) -> None:
    assert safe_next(wanted) == to


def test_a_cookie_is_only_good_as_it_was_made_and_for_its_time() -> None:
    keys = Keys(DRIVER, VIEWER)
    made = keys.cookie("viewer", browser="b", now=0.0)
    assert keys.visitor(made, now=LASTS - 1.0) is not None
    assert keys.visitor(made, now=LASTS + 1.0) is None
    assert keys.visitor(made.replace("viewer", "driver"), now=1.0) is None
    for at in range(len(made)):
        changed = made[:at] + ("A" if made[at] != "A" else "B") + made[at + 1 :]
        assert keys.visitor(changed, now=1.0) is None, changed
    assert Keys(DRIVER, VIEWER).visitor(made, now=1.0) == keys.visitor(made, now=1.0)  # a restart signs nobody out
    assert Keys(DRIVER, "another-token-for-viewers").visitor(made, now=1.0) is None


def test_a_ticket_lets_in_once() -> None:
    keys = Keys()
    ticket = keys.ticket()
    assert keys.role_of(ticket) == "driver"
    assert keys.role_of(ticket) is None
    assert keys.role_of("") is None
    assert keys.role_of("ä") is None


@pytest.mark.parametrize(
    ("tokens", "says"),
    [(("short", None), "5 letters.*at least 16"), (("a b" * 9, None), "signs that an address cannot carry"),
     ((DRIVER, DRIVER), "token of viewers is that of drivers")],
)  # fmt: skip
def test_a_token_that_protects_little_is_refused(tokens: tuple[str, str | None], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Keys(*tokens)


def test_a_token_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    with pytest.raises(SettingsError, match=r"cannot be read.*check the path"):
        known_tokens(file)
    file.write_text(DRIVER)
    file.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        known_tokens(file)
    file.chmod(0o600)
    assert known_tokens(file) == (DRIVER, None)
    file.write_text("")
    with pytest.raises(SettingsError, match="0 lines"):
        known_tokens(file)


@pytest.mark.parametrize(
    ("host", "meant"),
    [("127.0.0.1:8501", True), ("localhost:1", True), ("LOCALHOST", True), ("[::1]:8501", True), ("[::1]", True),
     ("evil.example:8501", False), ("127.0.0.1.evil.example", False), ("", False)],
)  # fmt: skip
def test_without_tokens_only_requests_that_name_this_machine_are_answered(host: str, meant: bool) -> None:
    assert Door("127.0.0.1", 8501).names(host) is meant
    assert Door("0.0.0.0", 8501).names(host)
    assert Door("127.0.0.1", 8501, Keys()).names(host)
