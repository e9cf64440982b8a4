"""What every test has: a PostgreSQL and a Redis, started for the run unless the environment offers them."""

import os
import signal
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest

from tests.kit import services

OFFERED = {"PENSTOCK_TEST_DATABASE_URL": services.postgres, "PENSTOCK_TEST_REDIS_URL": services.redis}
_running = ExitStack()

# A slow machine is no fault of the code: no example has a time limit.
hypothesis.settings.register_profile("penstock", deadline=None, print_blob=True)
hypothesis.settings.load_profile("penstock")


def pytest_configure(config: pytest.Config) -> None:
    """Once a run, before the processes that share the work begin; they inherit the addresses."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    signal.signal(signal.SIGTERM, _stopped)
    for name, start in OFFERED.items():
        if name not in os.environ:
            try:
                os.environ[name] = _running.enter_context(start()).url
            except services.Unavailable as error:
                pytest.exit(f"The tests need it, and {error} Or set {name}.", returncode=4)


def pytest_unconfigure() -> None:
    _running.close()


def _stopped(*_: object) -> None:
    """A run that is ended from outside leaves no server behind."""
    _running.close()
    os._exit(128 + signal.SIGTERM)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The table of situations and clients comes first: where it fails, nothing else needs a look."""
    items.sort(key=lambda item: "line" not in item.path.parts)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent
