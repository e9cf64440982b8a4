"""What the tests of the checks share."""

import os
import socket

import pytest

from penstock.core.settings import load
from penstock.doctor.finding import Subject
from tests.kit.databases import SERVER, postgres_on


@pytest.fixture
def subject(tmp_path):
    """Makes what a check looks at: settings, on a data directory of the test's own."""

    def make(environ=None, *, config="", all_providers=False, **settings):
        file = tmp_path / "penstock.toml"
        file.write_text(config)
        given = {"data_dir": str(tmp_path / "data"), "config": str(file)} | {
            name: str(v) for name, v in settings.items()
        }
        variables = {f"PENSTOCK_{name.upper()}": value for name, value in given.items()}
        return Subject(load({}, variables), environ or {}, all_providers)

    return make


@pytest.fixture
def data_dir(tmp_path):
    """The data directory, made as a start makes it."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def postgres():
    """URL of an empty database."""
    with postgres_on(os.environ[SERVER], migrated=False) as url:
        yield url


@pytest.fixture
def closed_port():
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def levels():
    """Level and text of each finding."""
    return lambda found: [(one.level, one.text) for one in found]
