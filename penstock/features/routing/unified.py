"""The unified API: the model's name says which provider answers, and the provider's row how it is reached."""

from msgspec.structs import replace

from penstock.core.codec import DecodeError, Struct, decoder
from penstock.core.errors import BodyTooLarge, MalformedChat, Overloaded, PenstockError
from penstock.core.headers import Headers
from penstock.features.routing import Routing
from penstock.features.routing.budgets import Counts
from penstock.features.routing.chat import CREDENTIALS, Chat, Sender
from penstock.features.routing.dynamic import DYNAMIC, Walking
from penstock.features.routing.health import Watches
from penstock.features.routing.native import Lone, NativeRouting
from penstock.model.body import HELD
from penstock.model.exchange import Exchange, Itinerary
from penstock.model.request import Request
from penstock.model.step import Step
from penstock.model.usage import Asked
from penstock.providers import unified
from penstock.providers.dialects import DIALECTS
from penstock.providers.translating import Translation
from penstock.providers.unified import CHAT, Unified
from penstock.providers.upstream import Upstream, credential_header
from penstock.wire import form
from penstock.wire.model_name import renamed

_VENDORS = (b"anthropic-", b"openai-", b"x-goog-", b"x-stainless-")  # headers that mean nothing in another dialect
_NO_OBJECT = "Chat completion bad format: the body is no JSON object."
_decode = decoder(Struct).decode
_CODING = b"accept-encoding"
_PLAIN = "openai_chat"  # names the model as all bodies that are passed on do


class UnifiedRouting(Routing):
    """Decides from the body, once it is here."""

    def __init__(self, native: NativeRouting, budgets: Counts, watches: Watches) -> None:
        self._native = native
        self._budgets = budgets
        self._watches = watches
        self._along: Sender = self  # where the models of a route are

    def itinerary(self, ex: Exchange) -> Itinerary:
        return Unfolding(self)

    def split(self, name: str) -> tuple[str, str]:
        """Provider and model of a name. Raises MalformedChat."""
        return unified.split(name)

    def settle(self, step: Step, request: Request, kind: str, dialect: str, at: slice | None = None) -> Walking | None:
        """Fills in where a request of the unified API goes, and what it is sent. Of a dynamic route: what tells that.
        ``at``: where a form has the model.

        Raises MalformedChat, InvalidProvider, InvalidPath, Overloaded, RouteFailed.
        """
        body = whole(request)
        if at is not None:
            name = body[at].decode("utf-8", "replace")
            return self._begin(step, request, Chat(kind, dialect, name, body, Asked(name), at))
        asked = _with_path(request, DIALECTS[dialect or _PLAIN].asked(body))
        if not asked.model:
            _check(body)
        return self._begin(step, request, Chat(kind, dialect, asked.model, body, asked))

    def _begin(self, step: Step, request: Request, call: Chat) -> Walking | None:
        if call.name.startswith(DYNAMIC):
            return Walking(step.ex, request, call, self._along, self._budgets, self._watches)
        self.send(step, request, call)
        return None

    def send(self, step: Step, request: Request, call: Chat) -> None:
        """Fills it in. Raises the same."""
        kind, dialect, name, body, asked, at, wraps = call
        slug, model = self.split(name)
        upstream = self._native.upstream(slug)
        way = unified.way(upstream.provider.unified, kind, dialect, slug)
        model = model.removeprefix(way.publisher)
        request.asked = replace(asked, model=model, used=(), terms=())
        request.provider = slug
        request.path, step.query = unified.place(way, model, stream=asked.stream)
        step.target = self._native.target(request)
        if way.keyed:
            step.keyed = unified.place(way, model, stream=asked.stream, keyed=True).path
        translates = kind == CHAT and way.dialect != dialect
        request.headers = _headers(request, step, upstream, way, translates=translates)
        request.first = {lower: value for lower, _, value in reversed(request.headers)}
        if translates:
            step.translation = Translation(dialect, way.dialect, model, way.lacks)
        elif not unified.names_model(way):
            if at is None:
                step.sends = _renamed(request, body, asked.model, model, dialect or _PLAIN)
            else:
                step.sends = reserved(request, b"".join((body[: at.start], model.encode(), body[at.stop :])))
        if kind != CHAT and (passed := DIALECTS.get(step.target.endpoint.dialect)) is not None:
            request.asked = replace(passed.asked(body), model=model)  # with what is paid for it
        if wraps:
            _wrap(step, request, body)


class Unfolding(Itinerary):
    """One step, which the body tells, or those of a dynamic route that it names."""

    __slots__ = ("_routing", "_walking", "shows_step")

    sees_body = True
    lists = False

    def __init__(self, routing: UnifiedRouting) -> None:
        self._routing = routing
        self._walking: Walking | None = None
        self.shows_step = False

    async def first(self, ex: Exchange) -> Step:
        step, told = ex.step, ex.request
        step.options, step.places = ex.options, ex.caller.places
        step.request = request = told.copied()
        mark = form.boundary(request.header(b"content-type") or b"")
        at = None if mark is None else await form.field(whole(request), mark, b"model") or slice(0)
        self._walking = self._routing.settle(step, request, told.surface.kind, told.surface.dialect, at)
        if self._walking is None:
            return step
        self.shows_step = True
        return await self._walking.first(step)

    async def after(self, step: Step, why: str) -> Step | None:
        return None if self._walking is None else await self._walking.after(step, why)

    async def then(self, step: Step) -> Step | None:
        return None if self._walking is None else await self._walking.then(step)

    def exhausted(self) -> PenstockError | None:
        return None if self._walking is None else self._walking.exhausted()


class Nowhere(Lone, Routing):
    """Of calls that the gateway answers itself: no step is begun."""

    sees_body = True  # as no stage can tell whether it must

    def itinerary(self, ex: Exchange) -> Itinerary:
        return self


def _with_path(request: Request, asked: Asked) -> Asked:
    """What a body asks for, and the path in its place."""
    named = unified.in_path(request.path)
    if named is None:
        return asked
    if named.stream and b"alt=sse" not in request.query:
        raise MalformedChat("alt: streams are served as events alone, ask for streamGenerateContent?alt=sse.")
    return replace(asked, model=named.model, stream=named.stream)


def _check(body: bytes) -> None:
    """Raises MalformedChat for what is no JSON object."""
    try:
        _decode(body)
    except DecodeError:
        raise MalformedChat(_NO_OBJECT) from None


def whole(request: Request) -> bytes:
    """The body. Raises Overloaded, BodyTooLarge."""
    body = request.body.whole()
    if body is not None:
        return body
    if request.body.size <= HELD:
        raise Overloaded("The gateway holds as many request bytes as it may; try again.")
    raise BodyTooLarge(f"The body of a call to the unified API is larger than {HELD} bytes.")


def _renamed(request: Request, body: bytes, old: str, new: str, dialect: str) -> bytes:
    put = renamed(body, old, new, lambda body: DIALECTS[dialect].asked(body).model)
    if put is None:
        raise MalformedChat(_NO_OBJECT)
    return reserved(request, put)


def reserved(request: Request, body: bytes) -> bytes:
    """A body that travels in the place of the request's own. Raises Overloaded where there is no room for both."""
    if not request.body.reserve(len(body)):
        raise Overloaded("The gateway holds as many request bytes as it may; try again.")
    return body


def _wrap(step: Step, request: Request, body: bytes) -> None:
    """The answer goes into the envelope of the API, so it must be readable."""
    step.wraps = True
    if step.sends is None:
        step.sends = reserved(request, body)
    request.headers = [header for header in request.headers if header[0] != _CODING]
    request.headers.append((_CODING, _CODING, b"identity"))
    request.first[_CODING] = b"identity"


def _headers(request: Request, step: Step, upstream: Upstream, way: Unified, *, translates: bool) -> Headers:
    """With the client's key where the provider expects one, and what the provider's operation needs besides."""
    headers, place = _one_key(request, step, upstream)
    if translates:
        headers = [header for header in headers if not header[0].startswith(_VENDORS) or header[0] == place]
    if way.headers:
        headers = [*headers]
        headers += [
            (name.encode(), name.encode(), value.encode())
            for name, value in way.headers.items()
            if name.encode() not in request.first
        ]
    return headers


def _one_key(request: Request, step: Step, upstream: Upstream) -> tuple[Headers, bytes]:
    """With one key of the client, where the provider expects it; others are for other providers. And that place."""
    provider = upstream.provider
    usual = upstream.credential_headers[0]
    names = [name for name in CREDENTIALS if name in request.first and name not in step.places]
    if not names:
        return request.headers, usual
    came = usual if usual in names else names[0]
    key = (request.first[came].split() or [b""])[-1]
    place = credential_header(provider, key.decode("latin-1")).encode()
    if names == [place]:
        return request.headers, place
    headers = [header for header in request.headers if header[0] == came == place or header[0] not in (*names, place)]
    if came != place:
        step.places -= {place}  # a token of ours stood there
        scheme = provider.credential_scheme.encode() + b" " if place == b"authorization" else b""
        headers.append((place, place, scheme + key))
    return headers, place
