"""The web server of the studio: one process, one ``st.App``, options as data, runs stopped when it ends."""

from __future__ import annotations

import asyncio
import gc
import gzip
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard import access
from dashboard.gate import HEALTH, Door, Gate
from dashboard.gathering import gather
from dashboard.theme import streamlit_theme
from nas_core.errors import SettingsError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from dashboard.access import Keys

__all__ = ["DEFAULT_PORT", "free_port", "options", "serve"]

DEFAULT_PORT = 8501
SCRIPT = Path(__file__).parent / "app.py"
YEAR = 31_536_000  # seconds
PATIENCE = 5.0  # seconds within which a store that can be reached has answered


def free_port(host: str, wanted: int, tries: int = 20) -> int:
    """Return ``wanted`` if nothing listens there, else the next free port above it.

    Raises:
        SettingsError: The address is not one of this machine, the port is outside 1–65535, or no port is free.
    """
    if not 1 <= wanted <= 65535:
        raise SettingsError(f"Port {wanted} does not exist", allowed="1 to 65535", fix=f"use --port {DEFAULT_PORT}")
    for port in range(wanted, min(wanted + tries, 65536)):
        if _is_free(host, port):
            return port
    raise SettingsError(
        f"Ports {wanted} to {min(wanted + tries, 65536) - 1} on {host} are all in use",
        allowed="a port nothing else listens on",
        fix="stop the other program, or choose another with --port",
    )


def _is_free(host: str, port: int) -> bool:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise _bad_host(host) from error
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except PermissionError:
            return False
        except OSError as error:
            if error.errno in (98, 48, 10048):  # address in use: Linux, macOS, Windows
                return False
            raise _bad_host(host) from error
    return True


def _bad_host(host: str) -> SettingsError:
    return SettingsError(
        f"The address {host!r} is not one of this machine",
        allowed="127.0.0.1 (only this machine), 0.0.0.0 (every network), or one of its addresses",
        fix="use --host 127.0.0.1",
    )


def options(host: str, port: int) -> dict[str, Any]:
    """Return the Streamlit options of the studio; environment variables still win over them."""
    return {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.runOnSave": False,
        "server.maxUploadSize": 200,  # MB
        "browser.gatherUsageStats": False,
        "browser.serverAddress": host,
        "client.showErrorDetails": "type",
        "client.toolbarMode": "viewer",
        "client.disableDataExport": True,  # its CSV lets a spreadsheet run what people typed; ours does not
        "runner.postScriptGC": False,  # a full collection after every refresh cost ten times the refresh itself
        "runner.magicEnabled": False,
        "logger.level": "warning",
        "logger.hideWelcomeMessage": True,
        **streamlit_theme(),
    }


def serve(
    host: str, port: int, *, keys: Keys | None = None, on_start: Callable[[], None] | None = None
) -> None:  # fmt: skip
    """Run the studio until Ctrl-C or SIGTERM; ``on_start`` is called once it accepts requests.

    Runs that are still going are stopped first, so that everything finished is in the store.

    Args:
        host: The address to listen on.
        port: The port.
        keys: The tokens without which nothing is served; None lets everybody in who can connect.
        on_start: Called once.
    """
    import streamlit as st
    from starlette.middleware import Middleware
    from starlette.routing import Route
    from streamlit.runtime.pages_manager import PagesManager

    from dashboard.assets import CARDS, ROUTE

    @asynccontextmanager
    async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any]]:
        gather(asyncio.get_running_loop())
        gc.collect()
        gc.freeze()  # what is imported by now lives for ever: never walk it again
        if on_start is not None:
            on_start()
        try:
            yield {}
        finally:
            _stop_runs()

    # the folder beside the script is called pages: without this, a deep link asked for first gets no frame
    PagesManager.uses_pages_directory = False
    door = Door(host, port, keys)
    access.configure(door.visitor)
    routes = [
        Route(ROUTE + "/{name}", _serve_asset), Route(CARDS + "/{run}/{number:int}", _serve_card),
        Route(HEALTH, _serve_health),
    ]  # fmt: skip
    gate = Middleware(Gate, door=door)
    app = st.App(SCRIPT, lifespan=lifespan, routes=routes, middleware=[gate], on_script_error=_unexpected)
    app.run(config=options(host, port))


def _unexpected(error: Exception) -> bool:
    """Say in the page that something went wrong, without a traceback; the traceback goes to the terminal."""
    import streamlit as st

    from dashboard.texts import text

    logging.getLogger(__name__).error("A page failed", exc_info=error)
    st.error(text("studio.unexpected", kind=type(error).__name__))
    return True


def _stop_runs() -> None:
    import sys

    if "nas_core.runs.registry" in sys.modules:  # nothing was ever started otherwise
        from nas_core.runs.registry import stop_all

        stop_all()


async def _serve_asset(request: Request) -> Response:
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import PlainTextResponse, Response

    from dashboard.assets import asset, assets

    plain = assets().get(request.path_params["name"])
    if plain is None:
        return PlainTextResponse("No such file; reload the page.", status_code=404)
    headers = {"Cache-Control": f"public, max-age={YEAR}, immutable", "Vary": "Accept-Encoding"}
    found = await run_in_threadpool(asset, plain)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.body, media_type="text/javascript", headers=headers | {"Content-Encoding": "gzip"})
    return Response(gzip.decompress(found.body), media_type="text/javascript", headers=headers)


async def _serve_card(request: Request) -> Response:
    """Answer with a few lines about one candidate, for the card at a point of the front."""
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    where, language = request.path_params, request.query_params.get("lang", "en")
    lines = await run_in_threadpool(_card_lines, where["run"], where["number"], language)
    if lines is None:
        return JSONResponse({"lines": []}, status_code=404)
    return JSONResponse({"lines": lines}, headers={"Cache-Control": "no-store"})


def _card_lines(run: str, number: int, language: str) -> tuple[tuple[str, str], ...] | None:
    from dashboard.texts import set_language
    from dashboard.views.front_card import point_lines
    from dashboard.watching import watch
    from nas_core.errors import NasightError

    set_language(language)
    try:
        watched = watch(run)
        candidate = watched.id_of(number)
        evaluation = None if candidate is None else watched.evaluation(candidate)
    except NasightError:
        return None
    if evaluation is None:
        return None
    return point_lines(evaluation, watched.view.space_of(evaluation), watched.snapshot.objective)


async def _serve_health(_request: Request) -> Response:
    """Answer whether the studio can do its work; the gate answers those who have not signed in."""
    import asyncio
    from importlib.metadata import version

    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse

    from dashboard import process

    try:
        reachable = await asyncio.wait_for(run_in_threadpool(_store_answers), PATIENCE)
    except TimeoutError:
        reachable = False
    said = {
        "ok": reachable, "version": version("nasight"), "store_reachable": reachable,
        "runs_live": len(process.active_runs()), "tabs": access.wheel.tabs(),
    }  # fmt: skip
    return JSONResponse(said, status_code=200 if reachable else 503, headers={"Cache-Control": "no-store"})


def _store_answers() -> bool:
    from dashboard import process

    try:
        process.store().runs()
    except Exception:
        logging.getLogger(__name__).exception("The store cannot be reached")
        return False
    return True
