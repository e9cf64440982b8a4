"""The surfaces that the playground calls: their paths below a gateway, and whose dialect their bodies are in. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

OWN = "own"  # a path and a body of one's own


class Surface(NamedTuple):
    """``path``: below the gateway; ``{model}`` is the model's name. ``kind``: how its body is built (bodies.js)."""

    key: str
    title: str
    path: str
    kind: str


SURFACES: tuple[Surface, ...] = (
    Surface("chat", "Chat completions (unified)", "compat/chat/completions", "chat"),
    Surface("messages", "Messages (unified)", "compat/messages", "messages"),
    Surface("responses", "Responses (unified)", "compat/responses", "responses"),
    Surface("gemini", "generateContent (unified)", "compat/v1beta/models/{model}:generateContent", "gemini"),
    Surface("embeddings", "Embeddings (unified)", "compat/embeddings", "embeddings"),
    Surface(OWN, "Own path and body", "", OWN),
)


def path_of(row: Mapping[str, Any]) -> str:
    """The path below the gateway that a call of the log came by, as far as its row tells."""
    path = str(row["path"]).lstrip("/")
    if row["compatibilityMode"]:
        return path if path.startswith("compat/") else f"compat/{path}"
    return f"{row['provider']}/{path}"
