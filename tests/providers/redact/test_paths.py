"""Paths, and the trees made of them."""

import re

import pytest

from penstock.providers.redact.paths import SHAPE, rules


@pytest.mark.parametrize(
    "path",
    [
        *("metadata.email", "metadata.a.key [with] dots", "request.user", "request.messages[*].content"),
        *("request[0].input", "response.choices[12].message.tool_calls[*].function.arguments", "response.a-b c"),
    ],
)
def test_what_is_a_path(path):
    assert re.fullmatch(SHAPE, path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "user", "metadata", "metadata.", "request", "request.", "request..user", "request.messages[]"),
        *("request.messages[-1]", "request.messages[*", "request.messages.*]", "answer.text", "requests.user"),
        *("request.messages[1234567]", "metadata[0]", "metadata." + "k" * 129, "request.a\0b"),
    ],
)
def test_what_is_none(path):
    assert not re.fullmatch(SHAPE, path)


def test_a_tree_has_every_path_and_rules_are_made_once():
    made = rules(("request.user", "request.messages[*].content", "request.messages[0].name", "metadata.a.b"))
    assert made.metadata.members["a.b"].whole
    assert made.request.members["user"].whole
    messages = made.request.members["messages"]
    assert messages.every is not None
    assert messages.every.members["content"].whole
    assert messages.elements[0].members["name"].whole
    assert not made.response
    assert not made.stream
    assert rules(("request.user", "request.messages[*].content", "request.messages[0].name", "metadata.a.b")) is made


def test_a_path_beneath_another_changes_nothing_about_it():
    assert rules(("request.user.name", "request.user")).request.members["user"].whole
