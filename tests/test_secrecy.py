"""Secrets in messages that somebody else worded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas_core.errors import SettingsError, error_line, traceback_of
from nas_core.secrecy import HIDDEN, masked


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("connect postgresql+psycopg://me:s3cret@db/x failed", f"connect postgresql+psycopg://me:{HIDDEN}@db/x failed"),
        ("https://host/data?token=abc123&rows=5", f"https://host/data?token={HIDDEN}&rows=5"),
        ("password: hunter2, host: db", f"password: {HIDDEN}, host: db"),
        ('{"api_key": "k-1", "rows": 3}', f'{{"api_key": {HIDDEN}, "rows": 3}}'),
        ("AWS_SECRET_ACCESS_KEY=abc/def", f"AWS_SECRET_ACCESS_KEY={HIDDEN}"),
        ("Authorization: Bearer abcdef.ghi", f"Authorization: Bearer {HIDDEN}"),
        ("sent Bearer abcdef.ghi", f"sent Bearer {HIDDEN}"),
    ],
)
def test_a_secret_is_hidden_and_the_rest_is_kept(said: str, shown: str) -> None:
    assert masked(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "sigma=0.3, design: flat",
        "12 tokens of 400",
        "http://localhost:8501/run",
        "ratio 3:1 @ 5",
        "the loss became NaN",
    ],
)
def test_what_is_no_secret_stays(said: str) -> None:
    assert masked(said) == said


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/@"), min_size=6))
def test_no_password_of_an_address_is_left(secret: str) -> None:
    assert secret not in masked(f"postgresql://somebody:{secret}@host/base").replace("postgresql://somebody:", "")


def test_an_error_is_said_with_its_kind_and_without_secrets() -> None:
    assert error_line(ValueError("token=abc")) == f"ValueError: token={HIDDEN}"
    own = SettingsError("λ is 2", allowed="0 to 1")
    assert error_line(own) == str(own)


def test_a_traceback_names_the_place_and_is_bounded() -> None:
    def deep(n: int) -> None:
        if n == 0:
            raise ValueError("password=hunter2 " + "x" * 20_000)
        deep(n - 1)

    with pytest.raises(ValueError, match="hunter2") as caught:
        deep(30)
    told = traceback_of(caught.value)
    assert len(told) <= 8_001
    with pytest.raises(ZeroDivisionError) as short:
        1 / 0
    assert "test_secrecy.py" in traceback_of(short.value)
    assert traceback_of(short.value).endswith("ZeroDivisionError: division by zero")
