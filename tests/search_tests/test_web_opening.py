"""Where the door opens: never wider than was asked for, and never by accident."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from search import serve
from search.config import ServeConfig
from search.faults import InputFaults
from search.web.opening import TOKEN_VARIABLE, USER_VARIABLE, is_loopback, open_door

if TYPE_CHECKING:
    from pathlib import Path

LONG = "sixteen-letters-or-more"


@pytest.fixture(autouse=True)
def _no_secrets_around(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own variables do not count."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    monkeypatch.delenv(USER_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("asked", "lines"),
    [
        ({"host": "0.0.0.0"}, ("no login", "no TLS")),  # noqa: S104 - what is refused
        ({"host": "::"}, ("no login", "no TLS")),
        ({"host": "example.org"}, ("no login", "no TLS")),
        ({"host": "192.0.2.1", "token": LONG}, ("no TLS",)),
        ({"host": "192.0.2.1", "tls_cert": "a.pem", "tls_key": "b.pem"}, ("no login", "a.pem, no", "b.pem, no")),
        ({"writable": True}, ("--writable: got no --token",)),
        ({"token": LONG, "user": f"me:{LONG}"}, ("--token: got --user as well",)),
        ({"tls_cert": "a.pem"}, ("got one of",)),
        ({"tls_cert": __file__, "tls_key": __file__}, ("do not go together",)),
    ],
)  # fmt: skip
def test_an_unsafe_door_stays_shut(asked: dict[str, Any], lines: tuple[str, ...]) -> None:
    """All that is lacking is said at once, a line each, and nothing listens."""
    with pytest.raises(InputFaults) as refused:
        open_door(ServeConfig.model_validate({"port": 0, **asked}))

    assert len(refused.value.faults) == len(lines)
    assert all(line in fault for line, fault in zip(lines, refused.value.faults, strict=True))
    assert all("; allowed: " in fault and "; do: " in fault for fault in refused.value.faults)


def test_a_secret_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among the arguments all users of the machine could read it; a short one is refused there too."""
    monkeypatch.setenv(TOKEN_VARIABLE, LONG)
    door = open_door(ServeConfig(port=0, writable=True))
    door.listener.close()
    monkeypatch.setenv(TOKEN_VARIABLE, "short")
    with pytest.raises(InputFaults, match=TOKEN_VARIABLE):
        open_door(ServeConfig(port=0))

    assert door.secret == LONG
    assert door.is_token


@pytest.mark.parametrize(
    "flags",
    [
        ["--token", "short"],
        ["--user", "me:short"],
        ["--user", "nobody"],
        ["--port", "70000"],
        ["--sport", "1"],
    ],
)
def test_bad_flags_are_told_in_one_line(
    flags: list[str], in_empty_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and nothing made."""
    assert serve.main(flags) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert list(in_empty_folder.iterdir()) == []


def test_a_settings_file_opens_no_door(in_empty_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What lies in a folder may say which port, but not who may come in or what they may do."""
    (in_empty_folder / "competition.toml").write_text('host = "0.0.0.0"\nwritable = true\n', encoding="utf-8")

    assert serve.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 2


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *(("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True)),
        *(("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("localhost.evil.example", False)),  # noqa: S104
    ],
)  # fmt: skip
def test_loopback_is_this_machine_only(host: str, *, expected: bool) -> None:
    """A name that only looks like it may lead anywhere."""
    assert is_loopback(host) == expected


def test_it_listens_where_it_says() -> None:
    """Only there: the same port of another of this machine's addresses stays free."""
    door = open_door(ServeConfig(port=0))
    port = door.listener.getsockname()[1]
    with door.listener, socket.socket() as other:
        other.bind(("127.0.0.2", port))

    assert door.address == f"http://127.0.0.1:{port}"
