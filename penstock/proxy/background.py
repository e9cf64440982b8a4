"""A model that runs in the background: its caller is answered at once, and the webhook it named when the run has ended.

The run is a call of its own: it has its seat, its room, its row in the log, and ends with the process. The webhook is
called once, best effort, at an address that may be called as those that are set through the API.
"""

import asyncio
import time
from base64 import b64encode

import msgspec

from penstock.core.addresses import Rules
from penstock.core.codec import DecodeError, Raw, Struct, decoder, encode, indented
from penstock.core.errors import MalformedChat, Overloaded, PenstockError, ProviderBroke
from penstock.core.logs import log
from penstock.core.tasks import Tasks
from penstock.features.routing.unified import whole
from penstock.features.webhooks import Webhook, call, placed
from penstock.gateway.compile import CompiledGateway
from penstock.model.body import held
from penstock.model.exchange import Exchange
from penstock.model.reply import Body, Reply
from penstock.ports.transport import Transport
from penstock.providers.run import Options, read
from penstock.proxy import steps
from penstock.proxy.plane import Attempt, Plane, Runs

LARGEST = 16 << 20  # bytes of an answer
_BAD = 400


class _Fault(Struct):
    code: int
    message: str


class _Told(Struct):
    result: Raw = Raw(b"null")
    errors: tuple[_Fault, ...] = ()


class _Hook(msgspec.Struct, frozen=True):
    place: Webhook
    chat: bool


_decode = decoder(_Told).decode


class Background(Runs):
    """``rules``: which addresses may be called."""

    def __init__(self, transport: Transport, rules: Rules, tasks: Tasks) -> None:
        self._transport = transport
        self._rules = rules
        self._tasks = tasks

    async def begun(self, ex: Exchange, gw: CompiledGateway, plane: Plane, attempt: Attempt) -> Reply | None:
        """The answer to a call that begins a run; None: it is none. Raises MalformedChat, Overloaded, ModelNotFound."""
        options = read(ex.request.path, whole(ex.request)).options
        hook = self._hook(options)
        if not options.background:
            return None
        run = _copy(ex)
        try:
            plane.seat(run)
            assert run.itinerary is not None
            step = await run.itinerary.first(run)
            if step.request.asked.stream:
                raise MalformedChat("run bad format: options.background: a stream has nobody to read it.")
        except BaseException:
            run.close()
            run.request.body.release()
            run.let_go()
            raise
        plane.calls[run] = self._tasks.start("run", self._run(run, gw, plane, attempt, hook))
        ex.options = msgspec.structs.replace(ex.options, log=False)  # the run has the row
        return _accepted(ex, run.name)

    def _hook(self, options: Options) -> _Hook | None:
        url = options.webhook_url
        if not url:
            if options.webhook_format is not None:
                raise _wrong("webhookFormat: there is no webhookUrl.")
            return None
        if not options.background:
            raise _wrong("webhookUrl: only a run with background has a webhook.")
        try:
            hook = placed(url, self._rules)
        except ValueError as error:
            raise _wrong(f"webhookUrl: {error}") from None
        return _Hook(hook, options.webhook_format == "chat")

    async def _run(
        self, run: Exchange, gw: CompiledGateway, plane: Plane, attempt: Attempt, hook: _Hook | None
    ) -> None:
        answer: bytes | None = None
        try:
            with plane.recorder.scope(run):
                answer = await _answer(run, gw, plane, attempt)
            if hook is not None:
                await self._tell(hook, _told(run, answer))
        finally:
            del plane.calls[run]
            run.request.body.release()
            run.let_go()

    async def _tell(self, hook: _Hook, told: bytes) -> None:
        if hook.chat:
            told = encode({"text": indented(Raw(told))})
        try:
            await call(self._transport, hook.place, told)
        except (PenstockError, TimeoutError) as error:
            log.warning("a webhook of a run was not reached: %s", str(error) or "it took too long")


def _wrong(what: str) -> MalformedChat:
    return MalformedChat(f"run bad format: options.{what}")


def _copy(ex: Exchange) -> Exchange:
    """The call that goes on. Raises Overloaded."""
    told = ex.request
    request = told.copied()
    request.body = held(whole(told), told.body)
    run = Exchange(request, time.monotonic())
    run.gateway, run.snapshot, run.options, run.caller = ex.gateway, ex.snapshot, ex.options, ex.caller
    run.itinerary, run.step.decisions = ex.itinerary, ex.step.decisions
    return run


def _accepted(ex: Exchange, name: str) -> Reply:
    data = encode(
        {"success": True, "errors": [], "messages": [], "result": {"id": name, "state": "Queued"}},
    )
    body = Body()
    body.feed(data)
    body.finish()
    reply = Reply(202, b"", [(b"content-type", b"content-type", b"application/json")], body)
    reply.length = ex.step.answer_size = len(data)
    ex.step.reply = reply
    return reply


async def _answer(run: Exchange, gw: CompiledGateway, plane: Plane, attempt: Attempt) -> bytes | None:
    """All of the answer; None: there is none, and ``run.error`` says why."""
    step = run.step
    try:
        if plane.stopping:
            raise Overloaded("The gateway is stopping; try again.")
        reply = await steps.proceed(run, step, gw, attempt)
        step = run.step
        gathered = _Whole(reply, run)
        reply.body.send_to(gathered)
        answer = await gathered.ended
    except PenstockError as error:
        run.error = error.with_traceback(None)
        return None
    finally:
        run.last_byte = time.monotonic()
    run.begun = True
    if step.reading is not None and (rest := step.reading.rest()) is not None:
        await rest
    return answer


def _told(run: Exchange, answer: bytes | None) -> bytes:
    """The body of a webhook."""
    step, error, result = run.step, run.error, Raw(b"null")
    fault = None if error is None else _Fault(error.code, error.message)
    if answer is not None and step.reply is not None:
        told = _read(answer, (step.reply.header(b"content-type") or b"").decode("latin-1"))
        result, fault = told.result, told.errors[0] if told.errors else fault
        if fault is None and step.reply.status >= _BAD:
            fault = _Fault(ProviderBroke.code, f"The provider answered {step.reply.status}.")
    usage = step.reported.usage if step.reported is not None else None
    return encode(
        {
            "id": run.name,
            "state": "Completed" if fault is None and answer is not None else "Failed",
            "result": result,
            "error": fault,
            "provider": step.request.provider,
            "model": step.request.asked.model,
            "usage": Raw(usage.raw) if usage is not None and usage.raw else None,
        }
    )


def _read(answer: bytes, kind: str) -> _Told:
    try:
        return _decode(answer)
    except DecodeError:
        if kind.lower().startswith("application/json"):
            return _Told(errors=(_Fault(ProviderBroke.code, "The provider's answer could not be read as JSON."),))
        return _Told(Raw(encode({"contentType": kind, "base64": b64encode(answer).decode()})))


class _Whole:
    """Takes a whole body, through its stages. What it holds counts as the run's request does."""

    def __init__(self, reply: Reply, run: Exchange) -> None:
        self._stages = reply.stages
        self._room = run.request.body
        self._data = bytearray()
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def on_frame(self, data: bytes) -> None:
        self._pass(data, 0)

    def on_end(self) -> None:
        try:
            for at, stage in enumerate(self._stages):
                self._pass(stage.end(), at + 1)
        except PenstockError as error:
            self.on_error(error)
        if not self.ended.done():
            self.ended.set_result(bytes(self._data))

    def on_error(self, error: PenstockError) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)

    def _pass(self, data: bytes, begin: int) -> None:
        try:
            for stage in self._stages[begin:]:
                data = stage.feed(data)
        except PenstockError as error:
            self.on_error(error)
            return
        if self.ended.done() or not data:
            return
        if len(self._data) + len(data) > LARGEST:
            self.on_error(ProviderBroke(f"The provider's answer has more than {LARGEST} bytes: too many for a run."))
        elif not self._room.reserve(len(data)):
            self.on_error(Overloaded("The gateway holds as many bytes as it may; try again."))
        else:
            self._data += data
