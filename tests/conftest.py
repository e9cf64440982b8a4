"""What every test has."""

from pathlib import Path

import hypothesis
import pytest

# A slow machine is no fault of the code: no example has a time limit.
hypothesis.settings.register_profile("penstock", deadline=None, print_blob=True)
hypothesis.settings.load_profile("penstock")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The table of situations and clients comes first: where it fails, nothing else needs a look."""
    items.sort(key=lambda item: "line" not in item.path.parts)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parent.parent
