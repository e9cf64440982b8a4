"""Texts that must be shown and never run, for every field that somebody fills, and the proof that they did not run.

Each text that could run sets ``__penstock_pwned`` or makes an element of the class ``pwned``. Each holds its name in
letters that nothing alters, by which a test finds it on a page.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Page

_RUN = "window.__penstock_pwned=1"
_MADE = 'class="pwned"'

# What would be markup, script or a template, were it written into a page as it is.
MARKUP = {
    "script": f"<script {_MADE}>{_RUN}</script>",
    "image": f"<img {_MADE} src=x onerror={_RUN}>",
    "attribute": f'"><svg {_MADE} onload={_RUN}>',
    "apostrophe": f"' autofocus onfocus='{_RUN}' class='pwned",
    "quote": f'" autofocus onfocus="{_RUN}" {_MADE[:-1]}',
    "textarea": f"</textarea><script {_MADE}>{_RUN}</script>",
    "title": f"</title></style></option></select></table><script {_MADE}>{_RUN}</script>",
    "json": f"</script><script {_MADE}>{_RUN}</script>",
    "comment": f"--><b {_MADE}>x</b><!-- ",
    "cdata": f"]]><b {_MADE}>x</b><![CDATA[",
    "link": f"javascript:{_RUN}//",
    "data": f"data:text/html,<script>parent.{_RUN[7:]}</script>",
    "frame": f"<iframe {_MADE} srcdoc='<script>parent.{_RUN[7:]}</script>'></iframe>",
    "form": f"<form {_MADE} action=//evil.example><button>go",
    "htmx": f"<a {_MADE} hx-get=/ hx-trigger=load hx-on:click={_RUN}>x</a>",
    "braces": "{{7*7}}{%print(7*7)%}",
    "dollar": "${7*7}#{7*7}",
    "entity": f"&lt;b {_MADE}&gt;&#60;script&#62;",
}

# What moves, hides or garbles the text beside it.
CONTROLS = {
    "override": "\u202etxt.exe\u202c",
    "isolate": "\u2066\u2067abc\u2069\u2069",
    "mark": "\u200f\u200eabc\u061c",
    "zerowidth": "a\u200bb\u200cc\u200dd\u2060e\ufefff",
    "escape": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "bell": "\x07\x08\x7f",
    "c1": "\x85\x9b31m",
    "separator": "a\u2028b\u2029c",
    "combining": "e" + "\u0301" * 40,
}

# What is long, or not in everybody's alphabet.
SHAPES = {
    "word": "w" * 300,
    "emoji": "\U0001f469\u200d\U0001f4bb\U0001f3f3\ufe0f\u200d\U0001f308",
    "astral": "\U00020000\U0010ffff",
}

TEXTS = MARKUP | CONTROLS | SHAPES
# What breaks out of most places, short enough for any field.
BREAKOUT = """'"><img class=pwned src=x onerror=__penstock_pwned=1>"""
NUL = "a\x00b"  # for fields that take it
LONE_SURROGATES = r"\ud800 \udfff"  # as JSON escapes: no text of Python's may be encoded with them in it
INVISIBLE = [*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x1b\x07\x08\x7f\x85\x9b"]


def hostile(name: str, most: int = 2000) -> str:
    """A text of ``TEXTS`` behind its name, cut to what a field takes."""
    return f"hostile-{name} {TEXTS[name]}"[:most]


def everything(most: int = 20_000, *, without: str = "") -> str:
    """All of them in one text, without the given characters, cut to what a field takes."""
    told = " ".join(hostile(name) for name in TEXTS)
    return "".join(letter for letter in told if letter not in without)[:most]


def breakout(field: str) -> str:
    """A short text that runs in most places, behind the name of the field that it is sent through."""
    return f"{field} {BREAKOUT}"


async def assert_harmless(page: "Page") -> None:
    """No text ran, none became an element, and none that moves or hides letters stands in the page as it is.

    That no dialog opened, no script failed and nothing was asked of another server is what ``browse`` looks at.
    """
    from tests.kit.browser import watch

    dialogs = [fault for fault in watch(page).faults if fault.startswith("dialog")]
    assert not dialogs, f"{page.url}: {dialogs}"
    found = await page.evaluate(_FOUND, INVISIBLE)
    assert not any(found.values()), f"{page.url}: {found}"


# Elements made of a text; handlers, which no page of ours has; addresses that run; letters that are to be made visible.
_FOUND = """invisible => {
  const all = [...document.querySelectorAll("*")];
  const attributes = all.flatMap(one => [...one.attributes].map(({name, value}) => ({one, name, value})));
  const told = one => one.outerHTML.slice(0, 200);
  return {
    ran: "__penstock_pwned" in window,
    made: all.filter(one => one.matches(".pwned, base, iframe, object, embed")).map(told),
    handlers: attributes.filter(({name}) => /^on|^hx-on/.test(name)).map(({one}) => told(one)),
    addresses: attributes.filter(({name, value}) => ["href", "src", "action", "formaction"].includes(name)
      && !/^(https?:|\\/|#|\\?|data:image\\/|[\\w.-]+$|$)/i.test(value)).map(({one}) => told(one)),
    invisible: invisible.filter(letter => document.body.innerText.includes(letter)),
  };
}"""
