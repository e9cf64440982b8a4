"""The ``/docs`` page: an OpenAPI 3.1 document as one page of HTML that loads nothing and runs nothing."""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from penstock.control import openapi
from penstock.control.openapi import Field, Json, Operation
from penstock.core.codec import encode

_LIMITS = {  # JSON Schema's word: ours
    "const": "is {}",
    "enum": "one of {}",
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "multipleOf": "a multiple of {}",
    "minLength": "length ≥ {}",
    "maxLength": "length ≤ {}",
    "pattern": "matches {}",
    "minItems": "entries ≥ {}",
    "maxItems": "entries ≤ {}",
    "uniqueItems": "no two entries alike",
    "minProperties": "members ≥ {}",
    "maxProperties": "members ≤ {}",
    "default": "default {}",
}
_FEW = 12  # rows; longer tables of members are folded at first
_MEMBER = ("Type", "Required", "Limits", "Meaning")
_USE = """<section aria-labelledby="use"><h2 id="use">Use</h2><p>The examples run as they are in a shell that knows
<code>PENSTOCK_API_TOKEN</code>, <code>PENSTOCK_ACCOUNT_ID</code> and, where it is not this machine,
<code>PENSTOCK_URL</code>. The first start of Penstock writes the first two to <code>credentials.env</code> in its data
directory. Other variables stand for ids of yours.</p></section>"""
_STYLE = """
:root{color-scheme:light dark;--bg:#fdfdfc;--soft:#f3f4f2;--line:#d9dcd7;--fg:#1c211e;--dim:#59625c;--link:#0b5c7a;
--get:#17602f;--post:#0b5c7a;--put:#8a4b00;--patch:#6a3d9a;--delete:#a3242a}
@media(prefers-color-scheme:dark){:root{--bg:#14181a;--soft:#1d2326;--line:#343d41;--fg:#e6e9e7;--dim:#a3ada8;
--link:#7cc7e8;--get:#7fd49b;--post:#7cc7e8;--put:#f0b76b;--patch:#c9a6f0;--delete:#f59a9a}}
*{box-sizing:border-box}html{scroll-padding-top:1rem}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.55 system-ui,sans-serif;padding-left:19rem}
header{padding:2rem clamp(1rem,4vw,3rem) 1rem;border-bottom:1px solid var(--line)}
h1,h2,h3,p{margin:0 0 .6rem}h1{font-size:1.8rem}h2{margin-top:2.5rem;font-size:1.4rem}h3{font-size:1.1rem}
small,.id,i,td:empty{color:var(--dim);font-style:normal;font-weight:400}a{color:var(--link)}
nav{position:fixed;left:0;top:0;bottom:0;width:19rem;padding:1.5rem 1rem;overflow:auto;background:var(--soft);
border-right:1px solid var(--line);font-size:.9rem}
nav ul{list-style:none;margin:0;padding:0 0 .5rem}nav li a{display:block;padding:.2rem .4rem;border-radius:.3rem;
text-decoration:none;color:inherit}nav li a:hover{background:var(--bg)}
main{padding:0 clamp(1rem,4vw,3rem) 4rem;max-width:80rem}
article{margin:1.2rem 0;padding:1.2rem;border:1px solid var(--line);border-radius:.6rem}
:target{outline:2px solid var(--link);outline-offset:3px}:focus-visible{outline:3px solid var(--link)}
code,pre{font:.88em/1.5 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{margin:.6rem 0;padding:.8rem;background:var(--soft);border-radius:.4rem;white-space:pre-wrap}
summary{cursor:pointer;font-weight:600;padding:.35rem 0}
table{width:100%;border-collapse:collapse;font-size:.9rem;margin:.3rem 0 .8rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .7rem .35rem 0;border-top:1px solid var(--line)}
thead th{border:0;color:var(--dim);font-weight:600}tbody th{font-weight:400}
nav b{display:inline-block;min-width:3.6rem;font-size:.75rem}
.get{color:var(--get)}.post{color:var(--post)}.put{color:var(--put)}.patch{color:var(--patch)}.delete{color:var(--delete)}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--bg);padding:.5rem}
@media(max-width:60rem){body{padding:0}nav{position:static;width:auto;border:0}thead{position:absolute;left:-99rem}
tr{display:block;padding:.4rem 0;border-top:1px solid var(--line)}
th,td{display:block;border:0;padding:.1rem 0}td:empty{display:none}}
@media print{body{padding:0}nav{display:none}}
"""

# What the page may do: look as it does. Sent with it as Content-Security-Policy.
CSP = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)


def page(document: dict[str, Any]) -> bytes:
    """The whole page: every operation under its tag with parameters, body and answers, then every schema by name."""
    info: Json = document.get("info", {})
    title, tags = _e(info.get("title", "API")), openapi.operations(document)
    schemas: Json = document.get("components", {}).get("schemas", {})
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{title}: API reference</title><style>{_STYLE}</style></head><body>'
        f'<a class="skip" href="#main">Skip to the content</a><header><h1>{title} <small>{_e(info.get("version", ""))}'
        f"</small></h1>{_paragraph(info.get('summary'))}{_paragraph(info.get('description'))}</header>"
        f'<nav aria-label="Operations">{"".join(_nav(*tag) for tag in tags.items())}'
        f'<p><a href="#schemas">Schemas</a></p></nav><main id="main" tabindex="-1">{_USE}'
        + "".join(
            _section(_id("tag", tag), _e(tag), (_operation(document, operation) for operation in listed))
            for tag, listed in tags.items()
        )
        + _section("schemas", "Schemas", (_schema(document, name, schema) for name, schema in schemas.items()))
        + "</main></body></html>\n"
    )
    return text.encode("utf-8", "replace")


def _nav(tag: str, listed: Sequence[Operation]) -> str:
    links = "".join(f'<li><a href="#{_id("op", op.id)}">{_method(op)} {_title(op)}</a></li>' for op in listed)
    return f"<details open><summary>{_e(tag)}</summary><ul>{links}</ul></details>"


def _operation(document: Json, op: Operation) -> str:
    need = " or ".join(f"<b>{_e(permission)}</b>" for permission in op.raw.get("x-permissions", ()))
    body = [_row(document, field) for field in openapi.fields(document, op.schema, deep=True)]
    return (
        f'<article id="{_id("op", op.id)}"><h3>{_title(op)} <code class="id">{_e(op.id)}</code></h3>'
        f"<p>{_method(op)} <code>{_e(op.path)}</code></p>{_paragraph(op.raw.get('description'))}"
        + (f"<p>Permission: {need}</p>" if need else "")
        + f"<pre><code>{_e(openapi.curl(document, op))}</code></pre>"
        + _table("Parameters", ("Name", "In", *_MEMBER), [_parameter(document, given) for given in op.parameters])
        + (_about(document, op) if op.kind else "")
        + _table("Body", ("Name", *_MEMBER), body)
        + _table("Answers", ("Status", "Body", "When"), _answers(document, op.raw.get("responses", {})), count=False)
        + "</article>"
    )


def _about(document: Json, op: Operation) -> str:
    need = "required" if op.body.get("required") else "optional"
    meant = op.body.get("description", openapi.resolve(document, op.schema).get("description", ""))
    return f"<p>Body: {_type(op.schema)}, <code>{_e(op.kind)}</code>, {need}. {_text(meant)}</p>"


def _parameter(document: Json, given: Json) -> str:
    schema = {**given.get("schema", {}), **{word: given[word] for word in ("description",) if word in given}}
    field = Field(given.get("name", ""), schema, bool(given.get("required")))
    return _row(document, field, f"<td>{_e(given.get('in', ''))}</td>")


def _answers(document: Json, responses: Json) -> list[str]:
    rows: list[str] = []
    for status, response in responses.items():
        answer = openapi.resolve(document, response)
        kind, schema = openapi.content(answer)
        shape = f"{_type(schema)} <small>{_e(kind)}</small>" if kind else "no body"
        when = _text(answer.get("description", ""))
        rows.append(f'<tr><th scope="row"><code>{_e(status)}</code></th><td>{shape}</td><td>{when}</td></tr>')
    return rows


def _schema(document: Json, name: str, schema: Json) -> str:
    table = _table(
        "Members", ("Name", *_MEMBER), [_row(document, field) for field in openapi.fields(document, schema, deep=False)]
    )
    about = f"<p>{_type(schema)}. {_text(schema.get('description', ''))}</p><p>{_limits(schema)}</p>"
    return f'<details id="{_id("schema", name)}"><summary><code>{_e(name)}</code></summary>{about}{table}</details>'


def _row(document: Json, field: Field, place: str = "") -> str:
    above, dot, name = field.path.rpartition(".")
    schema = openapi.resolve(document, field.schema)
    return (
        f'<tr><th scope="row"><code><i>{_e(above + dot)}</i>{_e(name)}</code></th>{place}<td>{_type(field.schema)}</td>'
        f"<td>{'required' if field.required else ''}</td><td>{_limits(schema)}</td>"
        f"<td>{_text(schema.get('description', ''))}</td></tr>"
    )


def _type(schema: Json) -> str:
    """The kind of a value; a named schema is a link."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f'<a href="#{_id("schema", name)}">{_e(name)}</a>'
    for word, glue in openapi.UNIONS.items():
        if word in schema:
            return glue.join(dict.fromkeys(_type(variant) for variant in schema[word]))
    told = " or ".join(openapi.kinds(schema, "anything"))
    if told == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return _e(f"{told} ({schema['format']})" if "format" in schema else told)


def _limits(schema: Json) -> str:
    """What a value must keep to."""
    own = [
        words.format(f"<code>{_e(_value(word, schema[word]))}</code>")
        for word, words in _LIMITS.items()
        if schema.get(word) is not None and schema[word] is not False
    ]
    return "<br>".join(dict.fromkeys([*own, *filter(None, map(_limits, openapi.variants(schema)))]))


def _value(word: str, value: Any) -> str:
    if word == "pattern":
        return str(value)
    listed = value if word == "enum" else [value]
    return ", ".join(encode(openapi.plain(one)).decode() for one in listed)


def _table(caption: str, columns: Sequence[str], rows: Sequence[str], *, count: bool = True) -> str:
    """Folded at first where it is long; nothing where it is empty."""
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    said = f"{caption} ({len(rows)})" if count else caption
    return (
        f"<details{' open' * (len(rows) <= _FEW)}><summary>{said}</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></details>"
    )


def _section(name: str, title: str, inner: Iterable[str]) -> str:
    return f'<section aria-labelledby="{name}"><h2 id="{name}">{title}</h2>{"".join(inner)}</section>'


def _method(op: Operation) -> str:
    return f'<b class="{op.method}">{op.method.upper()}</b>'


def _title(op: Operation) -> str:
    return _text(op.raw.get("summary", op.id))


def _paragraph(text: str | None) -> str:
    return f"<p>{_text(text)}</p>" if text else ""


def _text(text: str) -> str:
    """A sentence; what stands in backticks is code."""
    return re.sub(r"(`+)([^`]+)\1", r"<code>\2</code>", _e(text))


def _id(kind: str, name: str) -> str:
    """An element's name: one for each thing, whatever its name consists of."""
    return f"{kind}-" + re.sub(r"[^A-Za-z0-9.-]", lambda sign: f"_{ord(sign[0]):x}_", str(name))


def _e(text: object) -> str:
    return escape(str(text), quote=True)
