"""Processes that this one starts from its own code."""

import os
from pathlib import Path

import penstock

_PLACE = str(Path(penstock.__file__).parent.parent)


def environment(**more: str) -> dict[str, str]:
    """The environment of a Python process that imports this very package, also where it runs from a checkout."""
    path = os.pathsep.join(filter(None, (_PLACE, os.environ.get("PYTHONPATH"))))
    return os.environ | {"PYTHONPATH": path} | more
