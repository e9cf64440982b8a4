"""A dynamic route of a gateway, as it is deployed."""

import msgspec

from penstock.model.graph import Graph


class Route(msgspec.Struct, frozen=True):
    """``graph`` None: the deployed version cannot run, for the reason in ``fault``."""

    id: str
    name: str
    version: str
    graph: Graph | None
    fault: str = ""
