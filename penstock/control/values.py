"""Kinds of values that bodies hold, each with the sentence that refuses what it is not."""

import re
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from penstock.core.addresses import NOT_PUBLIC, Rules
from penstock.wire.headers import HOP_BY_HOP

EXACT = 2**53 - 1  # the greatest integer that every JSON library reads exactly; as seconds it fits 64 bits of ms


def spelt(pattern: str, sentence: str) -> tuple[AfterValidator, Any]:
    """For ``Annotated[str, *spelt(…)]``: text of a form, with a sentence in place of the expression where it is not."""
    form = re.compile(pattern)

    def check(value: str) -> str:
        if form.fullmatch(value) is None or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise PydanticCustomError("form", "{sentence}", {"sentence": sentence})
        return value

    return AfterValidator(check), Field(json_schema_extra={"pattern": f"^{pattern}$"})


def _integer(value: object) -> object:
    """In JSON, 5.0 is an integer as 5 is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def integers(value: Any, fractions: frozenset[str]) -> Any:
    """What passed, with every integer written as one; numbers of the names in ``fractions`` need not be one."""
    if isinstance(value, dict):
        parts = cast("dict[str, Any]", value).items()
        return {name: part if name in fractions else integers(part, fractions) for name, part in parts}
    if isinstance(value, list):
        return [integers(part, fractions) for part in cast("list[Any]", value)]
    return _integer(value)


WHOLE = BeforeValidator(_integer)  # stands behind the limits, or the document would not have them
Amount = Annotated[int, Field(ge=0, le=EXACT), WHOLE]
GatewayId = Annotated[str, *spelt(r"[a-z0-9_-]{1,64}", "an id is 1 to 64 of a-z, 0-9, _ and -")]
STORABLE = spelt(r"[^\x00]*", "must not hold NUL characters or halves of characters")
Text = Annotated[str, *STORABLE]
Visible = Annotated[str, *spelt(r"[\t -~]*", "must be visible ASCII, as the value of a header"), Field(max_length=4096)]
_FRAMING = "|".join("".join(f"[{sign.upper()}{sign}]" for sign in name.decode()) for name in sorted(HOP_BY_HOP))
HeaderName = Annotated[  # of a request that the gateway makes
    str,
    *spelt(rf"(?!({_FRAMING})$)[!#$%&'*+.^_`|~0-9A-Za-z-]+", "is no name of a header that can be set"),
    Field(max_length=256),
]

_HEX = "[0-9A-Fa-f]{1,4}"
_IPV6 = "|".join(
    [
        f"({_HEX}:){{7}}{_HEX}",
        f"({_HEX}:){{1,7}}:",
        *(f"({_HEX}:){{1,{7 - behind}}}(:{_HEX}){{1,{behind}}}" for behind in range(1, 7)),
        f":(:{_HEX}){{1,7}}|::",
    ]
)
_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
_ADDRESS = rf"https?://([A-Za-z0-9._-]+|\[({_IPV6})\])(:({_PORT}))?([/?#][!-~]*)?"
Url = Annotated[
    str,
    *spelt(_ADDRESS, "must be an http or https address without user name and password"),
    Field(max_length=2048),
]


def uncallable(url: str, rules: Rules) -> str:
    """The sentence that refuses an address of the form ``Url``, as far as its host alone tells; empty: none does.

    What a name leads to shows when it is called, and is judged then.
    """
    host = urlsplit(url).hostname or ""
    if not (reason := rules.host_refusal(host, trusted=False)):
        return ""
    return f"{host} may not be called: {reason}" + ("; see allowed_networks" if reason == NOT_PUBLIC else "")
