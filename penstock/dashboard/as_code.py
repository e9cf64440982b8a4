"""A call as code that makes it again: curl, Python, TypeScript. Pure.

The token is never in it: each reads PENSTOCK_API_TOKEN from the environment. Where the path and the dialect are those
of an official SDK, the code uses it; else plain HTTP. Whatever the body holds is a literal of the language.
"""

import re
import shlex
from collections.abc import Mapping
from pprint import pformat
from typing import Any, NamedTuple

from penstock.core import codec

TOKEN = "PENSTOCK_API_TOKEN"  # noqa: S105  the name of a variable
_WIDTH = 100


class _Sdk(NamedTuple):
    """``path``: of the call below the gateway; what its group ``base`` matches stays in the client's base URL."""

    path: re.Pattern[str]
    package: str
    call: str


_SDKS = (
    _Sdk(re.compile(r"(?P<base>compat|openai)/(?:v1/)?chat/completions"), "openai", "chat.completions.create"),
    _Sdk(re.compile(r"(?P<base>compat|openai)/(?:v1/)?responses"), "openai", "responses.create"),
    _Sdk(re.compile(r"(?P<base>compat|openai)/(?:v1/)?embeddings"), "openai", "embeddings.create"),
    _Sdk(
        re.compile(r"(?P<base>compat)/(?:v1/)?messages|(?P<own>anthropic)/v1/messages"), "anthropic", "messages.create"
    ),
)
_PYTHON = {"openai": "OpenAI", "anthropic": "Anthropic"}
_TYPESCRIPT = {"openai": ("OpenAI", "openai"), "anthropic": ("Anthropic", "@anthropic-ai/sdk")}


class Call(NamedTuple):
    """``base``: the gateway's address, as ``http://127.0.0.1:8787/v1/{account}/{gateway}``; ``path``: below it."""

    base: str
    path: str
    body: Any
    headers: Mapping[str, str]


def snippets(
    origin: str, account: str, gateway: str, path: str, body: Any, headers: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Pairs of a language and the code. ``headers``: what the call sends beside its token and the type of its body."""
    sent = {name.strip().lower(): value.strip() for name, value in headers.items()}
    call = Call(f"{origin}/v1/{account}/{gateway}", path.lstrip("/"), body, sent)
    return [("curl", curl(call)), ("Python", python(call)), ("TypeScript", typescript(call))]


def curl(call: Call) -> str:
    lines = [
        f"curl {shlex.quote(f'{call.base}/{call.path}')}",
        f'-H "cf-aig-authorization: Bearer ${TOKEN}"',
        "-H 'content-type: application/json'",
        *(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in call.headers.items()),
        f"-d {shlex.quote(codec.encode(call.body).decode())}",
    ]
    return " \\\n  ".join(lines)


def python(call: Call) -> str:
    found = _sdk(call)
    body = pformat(call.body, width=_WIDTH, sort_dicts=False)
    if found is None:
        headers = f'{{"cf-aig-authorization": f"Bearer {{os.environ[\'{TOKEN}\']}}"' + "".join(
            f", {name!r}: {value!r}" for name, value in call.headers.items()
        )
        return (
            "import os\n\nimport httpx\n\n"
            f"answer = httpx.post(\n    {f'{call.base}/{call.path}'!r},\n    headers={headers}}},\n"
            f"    json={_indented(body)},\n    timeout=600,\n)\nprint(answer.text)\n"
        )
    base, sdk = found
    more = f"\n    default_headers={dict(call.headers)!r}," if call.headers else ""
    create = f"client.{sdk.call}(\n    **{_indented(body)}\n)"
    tail = f"for event in {create}:\n    print(event)\n" if _streams(call) else f"print({create})\n"
    return (
        f"import os\n\nfrom {sdk.package} import {_PYTHON[sdk.package]}\n\n"
        f"client = {_PYTHON[sdk.package]}(\n    base_url={base!r},\n"
        f'    api_key=os.environ["{TOKEN}"],{more}\n)\n{tail}'
    )


def typescript(call: Call) -> str:
    found = _sdk(call)
    body = codec.indented(call.body).rstrip()
    if found is None:
        headers = {"content-type": "application/json", **call.headers}
        told = ", ".join(f"{_text(name)}: {_text(value)}" for name, value in headers.items())
        return (
            f"const answer = await fetch({_text(f'{call.base}/{call.path}')}, {{\n"
            '  method: "POST",\n'
            f'  headers: {{ "cf-aig-authorization": `Bearer ${{process.env.{TOKEN}}}`, {told} }},\n'
            f"  body: JSON.stringify({_indented(body, 2)}),\n}});\nconsole.log(await answer.text());\n"
        )
    base, sdk = found
    name, package = _TYPESCRIPT[sdk.package]
    more = f", defaultHeaders: {codec.encode(dict(call.headers)).decode()}" if call.headers else ""
    create = f"await client.{sdk.call}({body})"
    tail = (
        f"for await (const event of {create}) console.log(event);\n" if _streams(call) else f"console.log({create});\n"
    )
    return (
        f"import {name} from {_text(package)};\n\n"
        f"const client = new {name}({{ baseURL: {_text(base)}, apiKey: process.env.{TOKEN}{more} }});\n{tail}"
    )


def _sdk(call: Call) -> tuple[str, _Sdk] | None:
    """The base URL of the client, and the SDK; None: there is none for the path, or the body is no object."""
    if not isinstance(call.body, dict):
        return None
    for sdk in _SDKS:
        if found := sdk.path.fullmatch(call.path):
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
