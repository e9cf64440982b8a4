"""What clients and providers of each dialect say to each other through a translation, written and read by hand.

The dialects' modules know nothing of the product's own readers and writers. Each has ``ask``, ``told_by``, ``whole``,
``replayed`` and ``words_of_error`` of a client, or ``understood``, ``say``, ``stream`` and ``fail`` of a provider, or
all of them. ``plain.py`` says what a chat is between them.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

from penstock.providers.dialects import DIALECTS

_HERE = {path.stem for path in Path(__file__).parent.glob("*.py")}
SPEAKERS: dict[str, Any] = {name: import_module(f"tests.kit.pairs.{name}") for name in sorted({*DIALECTS} & _HERE)}
CLIENTS = [name for name in SPEAKERS if DIALECTS[name].client]
PROVIDERS = [name for name in SPEAKERS if DIALECTS[name].provider]
PAIRS = [(client, provider) for client in CLIENTS for provider in PROVIDERS]
