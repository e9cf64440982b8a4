"""What a model is asked for in words, where its provider has no member for it."""

from typing import Any

from penstock.core.codec import encode

JSON = "Answer with one JSON object and nothing else: no explanation, no code fence."


def schema_words(schema: Any) -> str:
    """For an answer of that form."""
    return f"{JSON} It must match this JSON schema: {encode(schema).decode()}"


def call_words(name: str) -> str:
    """For the call of a tool; ``name``: of which one; empty: of any."""
    return f"Call the tool {name} now." if name else "Call at least one tool now."
