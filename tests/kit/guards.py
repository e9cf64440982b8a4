"""What keeps one failing test from taking others with it: bounded waits, fresh fixtures, reports that always come."""

import asyncio
import functools
import inspect
from collections.abc import Generator

import pytest

WAIT = 100.0  # seconds that an asynchronous test may take, where no marker says more
SOONER = 20.0  # seconds before pytest-timeout would end it


class Guards:
    """A plugin of pytest."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """An asynchronous test that waits for ever is cancelled, which leaves its event loop whole for the others.

        The timeout of pytest-timeout, which is longer, raises its error wherever the loop is just then.
        """
        for item in items:
            if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
                marker = item.get_closest_marker("timeout")
                item.obj = _bounded(item.obj, WAIT if marker is None else max(WAIT, marker.args[0] - SOONER))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        """After a failure, what the tests of a module share is made anew for the next of them."""
        yield
        if getattr(item, "failed", False):
            item.session._setupstate.teardown_exact(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A traceback that cannot be shown costs its text, and not the whole run."""
        try:
            report = yield
        except Exception as error:
            text = f"{call.excinfo}: its traceback cannot be shown: {error!r}"
            assert call.when != "collect"
            report = pytest.TestReport(item.nodeid, item.location, {}, "failed", text, call.when)
        if report.failed:
            item.failed = True  # type: ignore[attr-defined]
        return report


def _bounded(test, seconds: float):
    @functools.wraps(test)
    async def within(*args: object, **named: object) -> None:
        async with asyncio.timeout(seconds):
            await test(*args, **named)

    return within
