"""What every test has: a PostgreSQL and a Redis, started for the run unless the environment offers them."""

import gc
import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest

from tests.kit import services
from tests.kit.certificates import self_signed
from tests.kit.cpu import CpuReport
from tests.kit.guards import Guards

pytest_plugins = ["tests.kit.browser"]

OFFERED = {"PENSTOCK_TEST_DATABASE_URL": services.postgres, "PENSTOCK_TEST_REDIS_URL": services.redis}
_running = ExitStack()

# Tests start some hundred processes, each of which would compile the whole package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A slow machine is no fault of the code: no example has a time limit. `ci` tries the same few examples in every run;
# `deep`, chosen by --deep, looks for new ones.
hypothesis.settings.register_profile("ci", max_examples=40, derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("deep", max_examples=400, deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--deep", action="store_true", help="what takes long: tests marked `deep`, and far more examples of the laws"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Once a run, before the processes that share the work begin; they inherit the addresses."""
    config.pluginmanager.register(CpuReport(), "cpu-report")
    config.pluginmanager.register(Guards(), "guards")
    if config.option.deep:
        hypothesis.settings.load_profile("deep")
    gc.disable()  # until all is collected
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    signal.signal(signal.SIGTERM, _stopped)
    # Each client reads the authorities that it trusts, which takes longer than most tests. None of them is asked here.
    folder = _running.enter_context(TemporaryDirectory(prefix="penstock-trust-"))
    os.environ["SSL_CERT_FILE"] = str(self_signed(Path(folder), "nobody.example")[0])
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The table of situations and clients comes first: where it fails, nothing else needs a look. Then come the tests
    that say how long they take: at the end, one process would wait for the other.
    """
    if not config.option.deep:
        deep = [item for item in items if item.get_closest_marker("deep")]
        config.hook.pytest_deselected(items=deep)
        items[:] = [item for item in items if item not in deep]
    items.sort(key=lambda item: ("line" not in item.path.parts, item.get_closest_marker("timeout") is None))


def pytest_collection_finish() -> None:
    """The modules and tests, a million objects, stay for the run: the collector need not look at them again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent
