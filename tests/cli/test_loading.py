"""The collector keeps out of imports."""

import gc
import weakref

import pytest

from penstock.cli.loading import loading


class Thing:
    """Holds itself."""

    def __init__(self):
        self.me = self


def test_what_is_made_within_is_not_looked_at_and_what_comes_later_is():
    looks = []
    gc.callbacks.append(lambda phase, info: looks.append(phase))
    try:
        with loading():
            kept = [[] for _ in range(100_000)]
        assert looks == []
    finally:
        gc.callbacks.pop()
        gc.unfreeze()
    later = weakref.ref(Thing())
    gc.collect()
    assert later() is None
    assert len(kept) == 100_000


def test_the_collector_is_back_when_an_import_fails():
    with pytest.raises(ImportError), loading():
        raise ImportError
    gc.unfreeze()
    assert gc.isenabled()
