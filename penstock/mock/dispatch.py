"""From a whole request to its answer. Pure; also where a well-behaved answer is spoilt on request."""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import parse_qsl, unquote

from penstock.core import codec
from penstock.mock.answer import ERRORS, JSON, Answer, Ask, Denial, Fault, Provider, Refusal, Route
from penstock.mock.controls import BadControl, Controls
from penstock.mock.providers import PROVIDERS

_TEXT_ONLY = ("size", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "usage")
_USUAL = Denial()
_NO_ECHO = (*_TEXT_ONLY, "malformed", "error_body")


def answer(method: str, target: bytes, body: bytes, c: Controls) -> Answer:
    """The answer of the provider that the target names."""
    provider, path = _provider(target)
    if provider is None:
        return _nowhere(path)
    seed = _seed(method, target, body)
    ask = Ask(method, path, body, c, seed, dict(parse_qsl(target.partition(b"?")[2].decode("latin-1"))))
    try:
        made = _route(provider, ask).handler(ask) if c.status < ERRORS else _error(provider, c.status, None, seed)
    except codec.DecodeError as why:
        made = _error(provider, 400, f"The request body cannot be read: {why}", seed)
    except BadControl as why:
        return refuse(target, 400, str(why))
    except Refusal as why:
        made = _error(provider, why.status, why.message or None, seed)
    return _spoil(made, c, provider, seed)


def refuse(target: bytes, status: int, message: str | None) -> Answer:
    """An error in the shape of the provider that the target names; ``message`` None: the provider's usual one."""
    provider, path = _provider(target)
    if provider is None:
        return Answer(status, JSON, [codec.encode({"error": {"message": message}})]) if message else _nowhere(path)
    seed = _seed("", target, b"")
    made = _error(provider, status, message, seed)
    made.headers += provider.headers(seed)
    return made


def deny(target: bytes, fault: Fault) -> Answer:
    """The refusal of a credential, as the provider that the target names words it."""
    provider, path = _provider(target)
    if provider is None:
        return _nowhere(path)
    denial, seed = provider.denials.get(fault) or _USUAL, _seed("", target, b"")
    made = _error(provider, denial.status, denial.message, seed)
    if denial.body:
        made.frames = [denial.body]
    own = {name for name, _ in denial.headers}
    made.headers = [header for header in made.headers if header[0] not in own] + [*denial.headers]
    made.headers += provider.headers(seed)
    return made


def check_echo(c: Controls, length: int | None) -> None:
    """Raises `BadControl` where a control cannot act on an echo of a body of that length."""
    for name in _NO_ECHO:
        _unset(c, name, "an echo has none")
    if c.echo == "body":
        _unset(c, "frames", "the frames of an echoed body are those in which it arrives")
        if c.framing == "length" and (length is None or c.encoding):
            raise BadControl("x-mock-framing: the length of this echo is not known beforehand")


def _provider(target: bytes) -> tuple[Provider | None, str]:
    path = target.partition(b"?")[0].decode("latin-1")
    name, _, rest = path.removeprefix("/").partition("/")
    provider = PROVIDERS.get(name)
    return provider, rest if provider else path


def _nowhere(path: str) -> Answer:
    known = [f"/{name}/{path}" for name, provider in PROVIDERS.items() for path in provider.routes]
    told = {"error": {"message": f"Nothing is simulated at {path}.", "paths": known}}
    return Answer(404, JSON, [codec.encode(told)])


def _seed(method: str, target: bytes, body: bytes) -> str:
    return hashlib.blake2b(b"%b %b\n%b" % (method.encode(), target, body), digest_size=12).hexdigest()


def _route(provider: Provider, ask: Ask) -> Route:
    for prefix in provider.prefixes:
        if ask.path.startswith(prefix):
            ask.path = ask.path.removeprefix(prefix)
            break
    route = (None if "*" in ask.path else provider.routes.get(ask.path)) or _starred(provider, ask)
    if route is None:
        raise Refusal(404, "")
    if route.method != ("GET" if ask.method == "HEAD" else ask.method):
        raise Refusal(405, "")
    if not route.texts:
        for name in _TEXT_ONLY:
            _unset(ask.controls, name, "this answer has no text")
    return route


def _starred(provider: Provider, ask: Ask) -> Route | None:
    for path, route in provider.routes.items():
        if "*" in path and (match := _expression(path).fullmatch(ask.path)) is not None:
            ask.named = _decoded(match.groups())
            return route
    return None


@cache
def _expression(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*+)", path)
    return re.compile("".join({"*": "([^/]+)", "**": "(.+)"}.get(part) or re.escape(part) for part in parts))


def _decoded(groups: Sequence[str]) -> list[str]:
    return [unquote(group) for group in groups]


def _unset(c: Controls, name: str, why: str) -> None:
    if getattr(c, name) not in (None, 0, "", False):
        raise BadControl(f"x-mock-{name.replace('_', '-')}: {why}")


def _error(provider: Provider, status: int, message: str | None, seed: str) -> Answer:
    return Answer(status, JSON, [provider.error(status, message, seed)], headers=provider.error_headers(status))


def _spoil(made: Answer, c: Controls, provider: Provider, seed: str) -> Answer:
    made.headers = [*made.headers, *provider.headers(seed)]
    made.status = c.status or made.status
    if not (c.error_body or c.malformed):
        return made
    frames = made.known()
    middle = len(frames) // 2
    if c.error_body and made.status < ERRORS:
        failed = made.failure or provider.error(provider.failing, None, seed)
        frames = [*frames[: middle if made.stream else 0], failed]
    if c.malformed and made.stream:
        frames[middle] = frames[middle][: len(frames[middle]) // 2] + b"\n\n"
    elif c.malformed:
        frames = [frames[0][: len(frames[0]) // 2]]
    made.frames = frames
    return made
