"""A call as code that makes it again: curl, Python, TypeScript. Pure.

No credential is in it: each reads PENSTOCK_API_TOKEN from the environment, and a provider's key where the caller sends
its own. Where the path and the dialect are those of an official SDK, the code uses it; else plain HTTP. Whatever the
body holds is a literal of the language.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pprint import pformat
from typing import Any, NamedTuple, cast

from penstock.core import codec

TOKEN = "PENSTOCK_API_TOKEN"  # noqa: S105  the name of a variable
_WIDTH = 100


class _Sdk(NamedTuple):
    """``path``: of the call below the gateway; what its group ``base`` matches stays in the client's base URL.

    ``needed`` and ``taken``: members of the body that are arguments in every release; others go as ``extra_body``.
    """

    path: re.Pattern[str]
    package: str
    call: str
    needed: frozenset[str]
    taken: frozenset[str]


_SDKS = (
    _Sdk(
        re.compile(r"(?P<base>compat|openai)/(?:v1/)?chat/completions"),
        "openai",
        "chat.completions.create",
        frozenset({"model", "messages"}),
        frozenset({"stream", "tools", "temperature", "stop", "seed", "max_tokens"}),
    ),
    _Sdk(
        re.compile(r"(?P<base>compat|openai)/(?:v1/)?responses"),
        "openai",
        "responses.create",
        frozenset({"model", "input"}),
        frozenset({"stream", "tools", "temperature", "instructions"}),
    ),
    _Sdk(
        re.compile(r"(?P<base>compat|openai)/(?:v1/)?embeddings"),
        "openai",
        "embeddings.create",
        frozenset({"model", "input"}),
        frozenset(),
    ),
    _Sdk(
        re.compile(r"(?P<base>compat)/(?:v1/)?messages|(?P<own>anthropic)/v1/messages"),
        "anthropic",
        "messages.create",
        frozenset({"model", "messages", "max_tokens"}),
        frozenset({"stream", "tools", "system"}),
    ),
)
_PYTHON = {"openai": "OpenAI", "anthropic": "Anthropic"}
_TYPESCRIPT = {"openai": ("OpenAI", "openai"), "anthropic": ("Anthropic", "@anthropic-ai/sdk")}


class Key(NamedTuple):
    """A provider's key that the caller sends: a header, what stands before the key in it, and the variable it is in.

    ``instead``: what travels where the variable is not set, as with simulated providers, which look at no key.
    """

    header: str
    prefix: str
    variable: str
    instead: str = "unused"

    @property
    def shell(self) -> str:
        return f"${{{self.variable}:-{self.instead}}}" if self.instead else f"${self.variable}"

    @property
    def python(self) -> str:
        return (
            f"os.environ.get('{self.variable}', '{self.instead}')" if self.instead else f"os.environ['{self.variable}']"
        )

    @property
    def typescript(self) -> str:
        return f'process.env.{self.variable} ?? "{self.instead}"' if self.instead else f"process.env.{self.variable}"


class Call(NamedTuple):
    """``base``: the gateway's address, as ``http://127.0.0.1:8787/v1/{account}/{gateway}``; ``path``: below it."""

    base: str
    path: str
    body: Any
    headers: Mapping[str, str]
    key: Key | None = None

    @property
    def secrets(self) -> list[Key]:
        """What travels of secrets: the token, and the provider's key."""
        return [_TOKEN] if self.key is None else [_TOKEN, self.key]


_TOKEN = Key("cf-aig-authorization", "Bearer ", TOKEN, "")


def snippets(
    origin: str,
    account: str,
    gateway: str,
    path: str,
    body: Any,
    headers: Mapping[str, str],
    *,
    key: Key | None = None,
) -> list[tuple[str, str]]:
    """Pairs of a language and the code. ``headers``: what the call sends beside its token, the type of its body, and
    the ``key``.
    """
    sent = {name.strip().lower(): value.strip() for name, value in headers.items()}
    call = Call(f"{origin}/v1/{account}/{gateway}", path.lstrip("/"), body, sent, key)
    return [("curl", curl(call)), ("Python", python(call)), ("TypeScript", typescript(call))]


def curl(call: Call) -> str:
    lines = [
        f"curl {shlex.quote(f'{call.base}/{call.path}')}",
        *(f'-H "{secret.header}: {secret.prefix}{secret.shell}"' for secret in call.secrets),
        "-H 'content-type: application/json'",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in call.headers.items()),
        f"-d {shlex.quote(codec.encode(call.body).decode())}",
    ]
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    found = _sdk(call)
    if found is None:
        headers = _python_headers(call, call.secrets)
        return (
            "import os\n\nimport httpx\n\n"
            f"answer = httpx.post(\n    {f'{call.base}/{call.path}'!r},\n    headers={headers},\n"
            f"    json={_indented(_literal(call.body))},\n    timeout=600,\n)\nprint(answer.text)\n"
        )
    base, sdk = found
    hidden = call.secrets[: call.key is not None]
    more = f"\n    default_headers={_python_headers(call, hidden)}," if call.headers or hidden else ""
    told = [f"    {name}={_indented(_literal(value))},\n" for name, value in _arguments(sdk, call.body).items()]
    create = f"client.{sdk.call}(\n{''.join(told)})"
    tail = f"for event in {create}:\n    print(event)\n" if _streams(call) else f"print({create})\n"
    return (
        f"import os\n\nfrom {sdk.package} import {_PYTHON[sdk.package]}\n\n"
        f"client = {_PYTHON[sdk.package]}(\n    base_url={base!r},\n"
        f"    api_key={call.secrets[-1].python},{more}\n)\n{tail}"
    )


def typescript(call: Call) -> str:
    found = _sdk(call)
    body = codec.indented(call.body).rstrip()
    if found is None:
        headers = {"content-type": "application/json", **call.headers}
        told = _typescript_headers(headers, call.secrets)
        return (
            f"const answer = await fetch({_text(f'{call.base}/{call.path}')}, {{\n"
            '  method: "POST",\n'
            f"  headers: {told},\n"
            f"  body: JSON.stringify({_indented(body, 2)}),\n}});\nconsole.log(await answer.text());\n"
        )
    base, sdk = found
    name, package = _TYPESCRIPT[sdk.package]
    hidden = call.secrets[: call.key is not None]
    more = f", defaultHeaders: {_typescript_headers(call.headers, hidden)}" if call.headers or hidden else ""
    create = f"await client.{sdk.call}({body})"
    tail = (
        f"for await (const event of {create}) console.log(event);\n" if _streams(call) else f"console.log({create});\n"
    )
    return (
        f"import {name} from {_text(package)};\n\n"
        f"const client = new {name}({{ baseURL: {_text(base)}, "
        f"apiKey: {call.secrets[-1].typescript}{more} }});\n{tail}"
    )


def _literal(value: Any) -> str:
    return pformat(value, width=_WIDTH, sort_dicts=False)


def _arguments(sdk: _Sdk, body: dict[str, Any]) -> dict[str, Any]:
    """The body as arguments of the SDK's function."""
    known = sdk.needed | sdk.taken
    rest = {name: value for name, value in body.items() if name not in known}
    return {name: value for name, value in body.items() if name in known} | ({"extra_body": rest} if rest else {})


def _python_headers(call: Call, secrets: Sequence[Key]) -> str:
    told = [f'"{one.header}": f"{one.prefix}{{{one.python}}}"' for one in secrets]
    return f"{{{', '.join([*told, *(f'{name!r}: {value!r}' for name, value in call.headers.items())])}}}"


def _typescript_headers(headers: Mapping[str, str], secrets: Sequence[Key]) -> str:
    told = [f"{_text(one.header)}: `{one.prefix}${{{one.typescript}}}`" for one in secrets]
    return f"{{ {', '.join([*told, *(f'{_text(name)}: {_text(value)}' for name, value in headers.items())])} }}"


def _sdk(call: Call) -> tuple[str, _Sdk] | None:
    """The base URL of the client, and the SDK; None: there is none for the path, or the body lacks what it asks for."""
    body = cast("object", call.body)
    if not isinstance(body, dict):
        return None
    for sdk in _SDKS:
        if (found := sdk.path.fullmatch(call.path)) and sdk.needed <= set(cast("dict[str, Any]", body)):
            below = next(name for name in found.groups() if name)
            return f"{call.base}/{below}", sdk
    return None


def _streams(call: Call) -> bool:
    return call.body.get("stream") is True


def _indented(text: str, spaces: int = 4) -> str:
    """The lines after the first, moved in; a text within that has several lines is written on one."""
    return text.replace("\n", "\n" + " " * spaces)


def _text(value: str) -> str:
    """A literal of TypeScript."""
    return codec.encode(value).decode()
