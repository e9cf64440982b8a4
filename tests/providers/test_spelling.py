"""Versions with dots and with hyphens."""

import pytest

from penstock.providers.spelling import Spellings

KNOWN = Spellings(
    ["claude-haiku-4-5", "gpt-4", "gpt-4.1", "gpt-4.1-mini", "grok-4-1-fast", "grok-4.1-fast", "m-1", "m-1.5"]
)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("claude-haiku-4.5", "claude-haiku-4-5"),
        ("claude-haiku-4.5-20251001", "claude-haiku-4-5-20251001"),
        ("claude-haiku-4.55", "claude-haiku-4.55"),  # another version
        ("gpt-4-1-mini-2025-04-14", "gpt-4.1-mini-2025-04-14"),
        ("gpt-4-1106-preview", "gpt-4-1106-preview"),  # no version 4.1
        ("gpt-4-1", "gpt-4.1"),
        ("grok-4.1-fast-x", "grok-4.1-fast-x"),  # both are known
        ("grok-4-1-fast-x", "grok-4-1-fast-x"),
        ("unknown-4.5", "unknown-4.5"),
        ("", ""),
        ("m-1-5" * 100, "m-1-5" * 100),  # longer than any name
    ],
)
def test_a_name_is_written_as_its_provider_does(asked, written):
    assert KNOWN.of(asked) == written
