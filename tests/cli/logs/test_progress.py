"""How far a long command has come."""

import sys

import pytest

from penstock.cli.logs.progress import progress


@pytest.mark.parametrize("watched", [True, False])
def test_only_who_watches_sees_a_bar(capsys, monkeypatch, watched):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: watched)
    with progress("Exported", 3) as advance:
        advance(1)
        advance(2)
    told = capsys.readouterr()
    assert told.out == ""
    assert ("Exported" in told.err) is ("3/3" in told.err) is watched
