"""What the tests of the deployment files share."""

import importlib.util
from types import ModuleType

import pytest
import yaml

import penstock
from penstock.cli.supervise import MOMENT
from penstock.core.settings import SETTINGS, Settings

VARIABLES = {row.variable for row in SETTINGS}
SECRET = {row.variable for row in SETTINGS if row.secret}


@pytest.fixture(scope="session")
def deploy(root) -> ModuleType:
    """``scripts/deploy.py``."""
    spec = importlib.util.spec_from_file_location("deploy_script", root / "scripts" / "deploy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def compose(root):
    """``deploy/compose.yaml`` with merged anchors, before its variables are filled in."""
    return yaml.safe_load((root / "deploy" / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="session")
def variables():
    return VARIABLES


@pytest.fixture(scope="session")
def secret_variables():
    return SECRET


@pytest.fixture(scope="session")
def version():
    return penstock.__version__


@pytest.fixture(scope="session")
def worst_stop():
    """Seconds that a stop may take: running calls, then unwritten rows, and what it takes to notice that one hangs."""
    return 2 * Settings().stop_timeout + 2 * MOMENT


@pytest.fixture(scope="session")
def descriptors():
    """Files that a serving process may need to open."""
    return 2 * Settings().max_connections + 100
