import asyncio
import gc
import logging

from penstock.core.tasks import Tasks, spawn


async def test_a_task_has_a_name_and_runs_without_anybody_waiting():
    tasks, done = Tasks(), asyncio.Event()

    async def work():
        await asyncio.sleep(0)
        done.set()

    assert tasks.start("sweep", work()).get_name() == "sweep"
    gc.collect()
    await asyncio.wait_for(done.wait(), 10)
    await asyncio.sleep(0)
    assert len(tasks) == 0


async def test_a_failure_is_logged_with_the_task_name(caplog):
    tasks = Tasks()

    async def work():
        raise RuntimeError("out of ink")

    task = tasks.start("print", work())
    await asyncio.wait([task])
    await asyncio.sleep(0)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "print" in record.getMessage()
    assert str(record.exc_info[1]) == "out of ink"


async def test_stop_cancels_what_runs_and_waits_for_it(caplog):
    tasks, ended = Tasks(), []

    async def work():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    for number in range(3):
        tasks.start(f"wait {number}", work())
    await asyncio.sleep(0)
    assert len(tasks) == 3
    await tasks.stop()
    assert (len(tasks), ended, caplog.records) == (0, [True] * 3, [])


async def test_a_bare_task_runs_too():
    done = asyncio.Event()

    async def work():
        done.set()

    await spawn(asyncio.get_running_loop(), work())
    assert done.is_set()
