"""An operation of a provider, as the provider's row describes it."""

from typing import Annotated

import msgspec
from msgspec import Meta

_SEGMENT = r"([A-Za-z0-9._~@:-]|\{[a-z][a-z0-9_]*\*?\})+"
Path = Annotated[str, Meta(pattern=rf"^{_SEGMENT}(/{_SEGMENT})*$")]
Name = Annotated[str, Meta(min_length=1)]


class Endpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation, by its path below the base URL; the path may have parts (``providers.templates``).

    The first endpoint that matches counts; paths without parts come first. Without a dialect, bodies are opaque.
    """

    path: Path
    request_type: Name | None  # None only in OPAQUE: a file cannot say so
    model_type: Name | None = None
    dialect: str = ""
    cacheable: bool = False  # a POST's answer depends on nothing but the request (providers.cacheability)
    ask_usage: bool = True  # False: its streams report usage unasked, or the question could be refused
    again: bool = False  # its answers tell again what another call used, until which they are not finished


OPAQUE = Endpoint(path="", request_type=None)  # any operation that no row names
