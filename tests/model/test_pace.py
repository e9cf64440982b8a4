"""A source that two may pause goes on when neither is behind."""

import asyncio

from penstock.model.pace import Pace


class Flow:
    """A source that notes whether it is paused."""

    paused = False

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False


async def test_a_source_goes_on_when_neither_the_client_nor_the_reader_is_behind() -> None:
    flow = Flow()
    pace = Pace(flow)
    pace.fall_behind()
    pace.pause()
    pace.resume()
    assert flow.paused, "the reader is behind"
    pace.pause()
    pace.catch_up()
    await asyncio.sleep(0)
    assert flow.paused, "the client is"
    pace.resume()
    assert not flow.paused


async def test_a_source_does_not_go_on_amid_what_it_hands_on_nor_after_the_call() -> None:
    flow = Flow()
    pace = Pace(flow)
    pace.fall_behind()
    pace.catch_up()
    assert flow.paused
    await asyncio.sleep(0)
    assert not flow.paused
    pace.fall_behind()
    pace.catch_up()
    pace.close()
    await asyncio.sleep(0)
    assert flow.paused
