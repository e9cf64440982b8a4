"""Pages that are drawn beside the event loop: a long table takes longer than a call may be kept waiting."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import Response

from penstock.dashboard import rendering, security
from penstock.dashboard.forms import NO_FAULTS, Faults

_PENCIL = ThreadPoolExecutor(1, "pages")  # one page at a time: calls have the rest of the processor


class Drawn(Response):
    """A page of a template. ``draw`` it before it is sent."""

    def __init__(self, template: str, values: Mapping[str, Any], status: int) -> None:
        super().__init__(None, status, security.HEADERS, "text/html; charset=utf-8")
        self._template = template
        self._values = values

    @property
    def faults(self) -> Faults:
        """What is wrong with the form that the page shows again."""
        return self._values.get("faults", NO_FAULTS)

    async def draw(self) -> None:
        """Raises what the template raises."""
        loop = asyncio.get_running_loop()
        self.body = await loop.run_in_executor(_PENCIL, rendering.page, self._template, self._values)
        self.headers["content-length"] = str(len(self.body))
