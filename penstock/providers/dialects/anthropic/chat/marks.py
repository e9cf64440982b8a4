"""Signatures of other dialects' thinking, in the member that Anthropic messages have for their own.

A client sends its thinking blocks back as they came, so what another provider has signed or sealed comes back too. Its
dialect stands before it, and a colon, which base64 does not have.
"""

from penstock.model.chat import Reasoning
from penstock.providers.dialects.anthropic.chat.words import NAME

_SEALED = "sealed"
_PARTS = 4


def marked(origin: str, name: str, signature: str, sealed: str) -> str:
    """A signature, or sealed thinking; ``name``: the id of the item that it belongs to."""
    if origin == NAME or not (signature or sealed):
        return signature or sealed
    return f"{origin}:{_SEALED if sealed else ''}:{name}:{sealed or signature}"


def unmarked(text: str, mark: str, *, sealed: bool) -> Reasoning:
    """The thinking that a block holds; ``mark``: its signature, or its data where it is ``sealed``."""
    parts = mark.split(":", _PARTS - 1)
    if len(parts) == _PARTS:
        origin, kind, name, value = parts
        return Reasoning(text, "" if kind else value, value if kind else "", origin, name)
    return Reasoning(text, "" if sealed else mark, mark if sealed else "", NAME)
