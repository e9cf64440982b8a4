"""``penstock logs`` as a process."""

from tests.kit.command import spawned


def test_its_commands_are_listed():
    done = spawned("logs", "--help")
    assert done.status == 0
    assert all(f" {name} " in done.out for name in ("tail", "search", "show", "export", "reprice", "forget"))
