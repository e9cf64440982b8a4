"""However many ask for a page, it is made once."""

import asyncio

import pytest

from penstock.control.kept import Kept, forever


class Maker:
    """Counts the pages that it makes, and makes each when it may."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.made = 0
        self.may = asyncio.Event()
        self.fault = fault

    async def make(self) -> bytes:
        await self.may.wait()
        if self.fault is not None:
            raise self.fault
        self.made += 1
        return b"page %d" % self.made


async def test_who_asks_meanwhile_gets_the_same_page() -> None:
    maker = Maker()
    kept = Kept(maker.make, forever)
    asked = [asyncio.ensure_future(kept.get()) for _ in range(8)]
    await asyncio.sleep(0)
    maker.may.set()
    assert await asyncio.gather(*asked) == [b"page 1"] * 8
    assert await kept.get() == b"page 1"


async def test_a_page_that_is_not_to_be_kept_is_made_for_each() -> None:
    maker = Maker()
    maker.may.set()
    kept = Kept(maker.make, lambda _: 0.0)
    assert [await kept.get(), await kept.get()] == [b"page 1", b"page 2"]


async def test_what_fails_is_tried_again_by_who_asks_next() -> None:
    maker = Maker(KeyError("x"))
    maker.may.set()
    kept = Kept(maker.make, forever)
    with pytest.raises(KeyError):
        await kept.get()
    maker.fault = None
    assert await kept.get() == b"page 1"


async def test_who_leaves_does_not_take_the_page_along() -> None:
    maker = Maker()
    kept = Kept(maker.make, forever)
    first, second = (asyncio.ensure_future(kept.get()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    maker.may.set()
    assert await second == b"page 1"
