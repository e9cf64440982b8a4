"""Sliced work leaves the loop to others, and is all done."""

import asyncio

from penstock.core.turns import Turns


async def test_everybody_has_a_turn_and_so_has_the_loop() -> None:
    turns, left, seen = Turns(), {"a": 40, "b": 40}, list[str]()
    done = asyncio.Event()

    def work(name: str) -> bool:
        seen.append(name)
        left[name] -= 1
        for _ in range(20_000):  # a slice is worth its while
            pass
        if not any(left.values()):
            done.set()
        return left[name] > 0

    turns.add(lambda: work("a"))
    turns.add(lambda: work("b"))
    others = 0
    while not done.is_set():
        await asyncio.sleep(0)
        others += 1
    assert seen == ["a", "b"] * 40
    assert others > 1


async def test_work_can_be_added_when_there_was_none_left() -> None:
    turns = Turns()
    for _ in range(2):
        done = asyncio.Event()

        def work(done: asyncio.Event = done) -> bool:
            done.set()
            return False

        turns.add(work)
        await done.wait()
