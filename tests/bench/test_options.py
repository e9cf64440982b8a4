import pytest

from bench.__main__ import APART, ROWS, options


def test_a_whole_run_writes_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEERS", raising=False)
    assert options([]).whole
    assert set(options([]).names) == set(ROWS) - {"peers", *APART}


def test_peers_come_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PEERS", "1")
    assert options([]).names == [name for name in ROWS if name not in APART]


@pytest.mark.parametrize("arguments", [["--quick"], ["--rows", "latency"], ["--rounds", "4"], ["--no-write"]])
def test_a_run_in_part_never_writes_the_document(arguments: list[str]) -> None:
    assert not options(arguments).whole


@pytest.mark.parametrize(("arguments", "said"), [(["--rows", "speed"], "no speed"), (["--soak", "10"], "--soak above")])
def test_what_is_not_understood_is_named(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options(arguments)
    assert said in capsys.readouterr().err
