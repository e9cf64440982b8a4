"""What calls ask of Redis, over one connection: all that is asked while an answer is awaited travels together next.

Thousands of calls at once need one connection and few packets, and whether Redis is there is known in one place: while
it is away, whoever asks is told so at once, and this connects again in the background.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from typing import Any, cast

from penstock.backends.redis_channel import in_words
from penstock.core.errors import PenstockError
from penstock.core.logs import log
from penstock.core.tasks import Tasks, end

PATIENCE = 0.5  # seconds that Redis has to take a connection, or to go on with what was asked
BATCH = 1000  # questions that travel together at most: the loop packs them in one go
PIECE = 1 << 16  # bytes that are sent in one go: each that is taken shows that Redis is there
LOOK = 1.0  # seconds without a question after which the connection is looked at
BACK_OFF = (0.05, 1.0)  # seconds before Redis is tried again: at first, and at most
Word = str | bytes | int
_READ_ONLY = "READONLY"  # in the error of a script


class RedisAway(PenstockError):
    """Redis does not answer."""

    status, code = 503, 2010


class RedisRefused(PenstockError):
    """Redis answers with an error."""


class UnknownScript(RedisRefused):
    """Redis does not have that script, or not any more."""


class Script:
    """A Lua script. Redis runs it in one step, beside which nothing else happens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()  # Redis's own name for it


class RedisLink:
    """``url`` as in the setting ``redis_url``; ``use``: what is asked for, as the process's own log calls it."""

    def __init__(self, tasks: Tasks, url: str, use: str) -> None:
        self.up = False
        self.prefix = ""  # of all that is ours in Redis, once it has started
        self._tasks = tasks
        self._url = url
        self._use = use
        self._asked: list[tuple[tuple[Word, ...], asyncio.Future[Any]]] = []
        self._news = asyncio.Event()
        self._tried = asyncio.Event()
        self._heard: list[Callable[[], None]] = []
        self._scripts: set[str] = set()  # that Redis has; by name, they are not sent again
        self._task: asyncio.Task[Any] | None = None
        self._told = False  # that it is away
        self._limit: asyncio.Timeout | None = None  # of what is being asked

    def on_up(self, call: Callable[[], None]) -> None:
        """Calls ``call`` each time a connection is made: what Redis held may be gone."""
        self._heard.append(call)

    async def start(self, installation: str = "") -> None:
        """Returns when Redis answers, or has not for a while. ``installation``: several may share a Redis."""
        self.prefix = f"penstock:{installation}:"
        self._task = self._tasks.start("redis", self._run())
        await self._tried.wait()

    async def stop(self) -> None:
        """What is still asked is not answered."""
        if self._task is not None:
            await end(self._task)
        self._give_up([])

    async def ask(self, *command: Word) -> Any:
        """Redis's answer. Raises RedisAway, at once where that is known, and RedisRefused."""
        if not self.up:
            raise RedisAway
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append((command, future))
        self._news.set()
        return await future

    async def run(self, script: Script, keys: Sequence[Word], *arguments: Word) -> Any:
        """The script's answer. Raises as ``ask``. Scripts run in the order in which they are asked for."""
        if script.sha in self._scripts:
            try:
                return await self.ask("EVALSHA", script.sha, len(keys), *keys, *arguments)
            except UnknownScript:  # somebody has made Redis forget it
                self._scripts.discard(script.sha)
        answer = await self.ask("EVAL", script.text, len(keys), *keys, *arguments)
        self._scripts.add(script.sha)
        return answer

    async def _run(self) -> None:
        least, most = BACK_OFF
        wait = least
        while True:
            connection = _connection(self._url)
            try:
                async with asyncio.timeout(PATIENCE):
                    await connection.connect()
                    await _writable(connection)
                self._watch(connection)
                wait = least
                self._is_up()
                await self._serve(connection)
            except Exception as error:  # noqa: BLE001  its library raises errors of many kinds, the system's among them
                self._is_away(error)
            finally:
                await connection.disconnect(nowait=True)
            if not self.up:
                await asyncio.sleep(wait)
                wait = min(most, 2 * wait)

    async def _serve(self, connection: Any) -> None:
        """Until the connection is no good. Returns where it was closed while nobody asked: what is asked now is asked
        on the next one.
        """
        while True:
            if not self._news.is_set():
                await self._idle()
            if _closed(connection):
                return
            asked, self._asked = self._asked[:BATCH], self._asked[BATCH:]
            if not self._asked:
                self._news.clear()
            if asked:
                await self._exchange(connection, asked)

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(LOOK):
                await self._news.wait()
        except TimeoutError:
            return

    async def _exchange(self, connection: Any, asked: list[tuple[tuple[Word, ...], asyncio.Future[Any]]]) -> None:
        from redis.exceptions import (  # noqa: PLC0415  by need
            MasterDownError,
            NoScriptError,
            ReadOnlyError,
            ResponseError,
        )

        try:
            async with asyncio.timeout(PATIENCE) as self._limit:
                for part in connection.pack_commands([command for command, _ in asked]):
                    for at in range(0, len(part), PIECE):
                        await connection.send_packed_command(part[at : at + PIECE], check_health=False)
                        self._extend()
                for _, future in asked:
                    try:
                        answer = await connection.read_response()
                    except ResponseError as error:
                        if _READ_ONLY in str(error) or isinstance(error, (ReadOnlyError, MasterDownError)):
                            raise  # another one is the primary now
                        kind = UnknownScript if isinstance(error, NoScriptError) else RedisRefused
                        if not future.done():
                            future.set_exception(kind(str(error)))
                    else:
                        if not future.done():
                            future.set_result(answer)
        except BaseException:
            self._give_up(asked)
            raise
        finally:
            self._limit = None

    def _watch(self, connection: Any) -> None:
        """Notes whatever comes: the library tells of whole answers only, and a large one takes long to come."""
        reader = getattr(connection, "_reader")  # noqa: B009
        feed = reader.feed_data

        def heard(data: bytes) -> None:
            self._extend()
            feed(data)

        reader.feed_data = heard

    def _extend(self) -> None:
        """Something was sent or came: the rest has its time anew. Seldom, because it costs more than an answer."""
        if self._limit is None or self._limit.expired():
            return
        until = asyncio.get_running_loop().time() + PATIENCE
        if until - (self._limit.when() or until) > PATIENCE / 10:
            self._limit.reschedule(until)

    def _give_up(self, asked: list[tuple[tuple[Word, ...], asyncio.Future[Any]]]) -> None:
        """Nobody will answer these, nor what was asked since."""
        self.up = False
        waiting, self._asked = asked + self._asked, []
        self._news.clear()
        for _, future in waiting:
            if not future.done():
                future.set_exception(RedisAway())

    def _is_up(self) -> None:
        self._tried.set()
        if self._told:
            log.warning("Redis is back for %s", self._use)
        self._told, self.up = False, True
        self._scripts.clear()
        for call in self._heard:
            call()

    def _is_away(self, error: Exception) -> None:
        """Says it once, until it is over."""
        if not self._told:
            log.warning("Redis cannot be used for %s until it is back: %s", self._use, in_words(error))
        self._told = True
        self._give_up([])
        self._tried.set()


def _connection(url: str) -> Any:  # the library's own types leave most open
    from redis.asyncio import ConnectionPool  # noqa: PLC0415  by need
    from redis.asyncio.retry import Retry  # noqa: PLC0415
    from redis.backoff import NoBackoff  # noqa: PLC0415

    make: Any = getattr(ConnectionPool, "from_url")  # noqa: B009
    pool = make(url, socket_connect_timeout=PATIENCE, socket_timeout=None, retry=Retry(NoBackoff(), 0))
    return pool.make_connection()


async def _writable(connection: Any) -> None:
    """Raises where it is a replica: after a failover the address may lead to the old primary still."""
    from redis.exceptions import ResponseError  # noqa: PLC0415  by need

    await connection.send_command("ROLE")
    try:
        role = await connection.read_response()
    except ResponseError:  # it may not be asked
        return
    if role[0] == b"slave":
        raise RedisRefused("it is a replica, which takes no writes")


def _closed(connection: Any) -> bool:
    """Whether Redis has closed it. Told by the stream, which the library keeps to itself: writing to it would tell too
    late, by an error to whoever asked.
    """
    reader = cast("asyncio.StreamReader | None", getattr(connection, "_reader", None))
    return reader is not None and (reader.at_eof() or reader.exception() is not None)
