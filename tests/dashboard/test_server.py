"""The server: free ports, served files, options that keep everything on this machine."""

from __future__ import annotations

import gzip
import hashlib
import socket
from pathlib import Path

import plotly
import pytest

from dashboard.assets import asset, assets
from dashboard.server import free_port, options
from nas_core.errors import SettingsError


def test_a_free_port_is_taken_as_it_is_and_one_in_use_gives_the_next() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port
    assert free_port("127.0.0.1", port) == port


def test_when_no_port_is_free_the_message_says_which_were_tried() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"Ports {port} to {port} on 127\.0\.0\.1 are all in use.*--port"):
            free_port("127.0.0.1", port, tries=1)


@pytest.mark.parametrize("port", [0, -1, 70_000])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(SettingsError, match=rf"Port {port} does not exist.*1 to 65535"):
        free_port("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match=r"is not one of this machine.*127\.0\.0\.1"):
        free_port(host, 8501)


def test_plotly_is_the_file_of_the_installed_wheel_under_a_name_with_its_hash() -> None:
    original = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes()
    served = asset("plotly.js")
    assert gzip.decompress(served.body) == original
    assert hashlib.sha256(original).hexdigest()[:12] in served.name
    assert assets()[served.name] == "plotly.js"


def test_nothing_is_reported_and_no_other_machine_can_connect_by_default() -> None:
    chosen = options("127.0.0.1", 8501)
    assert chosen["browser.gatherUsageStats"] is False
    assert chosen["server.address"] == "127.0.0.1"
    assert chosen["client.showErrorDetails"] == "type"


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = config.get_config_options()
    assert set(options("127.0.0.1", 8501)) <= set(known)
