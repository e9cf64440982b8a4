"""Calls as lines of a table."""

from typing import Any

import pytest

from penstock.cli.logs.table import dollars, number, style_of, table

ROW: dict[str, Any] = {
    "created_at": "2024-01-31T12:00:00.123Z",
    "gateway": "g",
    "provider": "p",
    "model": "m\x1b",
    "status_code": 200,
    "outcome": "answered",
    "success": True,
    "cached": True,
    "tokens_in": 1,
    "tokens_out": None,
    "cost": 0.5,
    "duration": 7,
    "id": "x",
}


@pytest.mark.parametrize(("colour", "painted"), [({}, False), ({"FORCE_COLOR": "1"}, True)])
def test_a_terminal_gets_colours_and_nothing_else_does(capsys, monkeypatch, colour, painted):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (colour | {"TERM": "xterm"}).items():
        monkeypatch.setenv(name, value)
    table()([ROW])
    heading, line = capsys.readouterr().out.splitlines()
    assert ("\x1b[32m" in line) is painted
    assert ("\x1b" in heading + line) is painted
    assert "m·" in line


def test_how_a_call_ended_has_a_colour():
    styles = [style_of(ROW | {"success": False, "status_code": status}) for status in (200, 404, 503, 0)]
    assert [style_of(ROW), *styles] == ["green", "red", "yellow", "red", "red"]


def test_amounts():
    assert [dollars(amount) for amount in (None, 0, 1e-9, 0.000022, 1.5)] == [
        *("-", "0.000000", "0.000000001", "0.000022", "1.500000")
    ]
    assert [number(None), number(0)] == ["-", "0"]
