"""Kinds of data-plane addresses."""

from collections.abc import Mapping

import msgspec

from penstock.model.token import Scope

_RUN = frozenset({Scope.RUN})


class Surface(msgspec.Struct, frozen=True):
    """What holds for every call to addresses of one kind. ``proxy.surfaces`` has the table."""

    name: str
    steps: str = "native"  # the itinerary: features.routing has one under each name
    methods: frozenset[bytes] = frozenset()  # that it takes; empty: all
    dialect: str = ""  # that the client speaks; empty: that of the provider it names
    kind: str = ""  # of the unified API: what is asked for (``providers.unified``)
    scopes: frozenset[str] = _RUN  # a token needs one of them
    closed: bool = False  # a token is needed even where the gateway asks for none
    api: bool = False  # errors come in the envelope of the API, not in the gateway's own
    codes: Mapping[int, int] = {}  # error codes that are other ones here


NATIVE = Surface("native")
