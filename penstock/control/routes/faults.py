"""What keeps a version from being deployed, and what the answer that stores it says of that."""

from collections.abc import Mapping
from typing import Any

from penstock.control.gateways.compile_settings import STORED_ONLY
from penstock.features.routing.graph.reading import read
from penstock.model.graph import GraphFault


def fault(elements: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The first thing that is wrong: its ``message`` and ``path``. None: the elements are a graph that can run."""
    try:
        read(elements)
    except GraphFault as found:
        return {"message": found.message, "path": list(found.path)}
    return None


def sentence(found: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, found['path']))}: {found['message']}"


def messages(found: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Those of a new version. ``found``: what is wrong with it."""
    if found is None:
        return []
    why = f"The version is stored, but cannot be deployed: {sentence(found)}"
    return [{"code": STORED_ONLY, "message": why, "path": ["body", *found["path"]]}]
