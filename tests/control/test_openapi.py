"""What is read from an OpenAPI document, by rows and by commands that a shell runs."""

import json
import subprocess
from typing import Annotated, Literal

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from penstock.control import openapi

HOSTILE = "'\"`$(echo oh)${HOME};|&<>\\\n!"


class Leaf(BaseModel):
    size: int = Field(ge=3, description="How large.")
    word: Literal["a", "b"] | None = None


class Tree(BaseModel):
    name: str = Field(max_length=9)
    leaves: list[Leaf] | None = None
    tags: list[Annotated[str, Field(min_length=2)]] = []
    free: dict[str, Leaf] = {}
    parent: "Tree | None" = None


def document():
    app = FastAPI()

    @app.put("/trees/{gateway_id}/{leaf-id}", operation_id="plant")
    def plant(gateway_id: str, tree: Tree, depth: Annotated[int, Field(ge=7)], wide: bool = False) -> Leaf: ...

    @app.get("/trees/{gateway_id}", operation_id="look")
    def look(gateway_id: str): ...

    return app.openapi()


def found(operation_id, told=None):
    told = told or document()
    (one,) = [op for listed in openapi.operations(told).values() for op in listed if op.id == operation_id]
    return one


def run(command):
    """The words with which a shell would start the command."""
    script = 'curl() { for word; do printf "%s\\0" "$word"; done; }\n' + command
    environ = {"PENSTOCK_API_TOKEN": "secret", "PENSTOCK_ACCOUNT_ID": "acc", "LEAF_ID": "leaf", "GATEWAY_ID": "mine"}
    done = subprocess.run(["sh", "-c", script], capture_output=True, env=environ, check=True, timeout=10)
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


def test_members_are_told_flat_each_once_on_a_path():
    told = document()
    rows = list(openapi.fields(told, {"$ref": "#/components/schemas/Tree"}, deep=True))
    assert [(row.path, row.required) for row in rows] == [
        ("name", True), ("leaves", False), ("leaves[].size", True), ("leaves[].word", False), ("tags", False),
        ("tags[]", False), ("free", False), ("free.*", False), ("free.*.size", True), ("free.*.word", False),
        ("parent", False),
    ]  # fmt: skip
    shallow = openapi.fields(told, {"$ref": "#/components/schemas/Tree"}, deep=False)
    assert [row.path for row in shallow] == ["name", "leaves", "tags", "tags[]", "free", "free.*", "parent"]


def test_a_reference_is_resolved_and_what_stands_beside_it_counts():
    told = {"a": {"b/c": {"type": "string", "title": "there"}}, "loop": {"$ref": "#/loop"}}
    assert openapi.resolve(told, {"$ref": "#/a/b~1c", "title": "here"}) == {"type": "string", "title": "here"}
    assert openapi.resolve(told, {"$ref": "#/nowhere/at/all"}) == {}
    assert openapi.resolve(told, {"$ref": "#/loop"}) == {}


def test_operations_keep_their_order_and_share_what_their_path_tells():
    told = {"paths": {"/x": {"parameters": [{"name": "p"}], "post": {"tags": ["t"]}, "get": {"operationId": "g"}}}}
    tags = openapi.operations(told)
    assert {tag: [(op.id, op.kind) for op in listed] for tag, listed in tags.items()} == {
        "Other": [("g", "")], "t": [("post /x", "")],
    }  # fmt: skip
    assert all(op.parameters == [{"name": "p"}] for listed in tags.values() for op in listed)


def test_an_example_holds_what_is_required():
    told = document()
    assert openapi.sample(told, {"$ref": "#/components/schemas/Tree"}) == {"name": "text"}
    assert openapi.sample(told, {"$ref": "#/components/schemas/Leaf"}) == {"size": 3}


@pytest.mark.parametrize(("schema", "value"), [
    ({"type": "string", "enum": ["x", "y"]}, "x"), ({"const": 4}, 4), ({"type": "boolean"}, True), ({}, None),
    ({"type": "integer", "default": 0, "minimum": 0}, 0), ({"type": "number", "exclusiveMinimum": 1.0}, 2),
    ({"type": ["string", "null"], "format": "date-time"}, "2030-01-01T00:00:00Z"), ({"examples": ["e"]}, "e"),
    ({"anyOf": [{"type": "null"}, {"type": "integer", "minimum": 5}]}, 5), ({"type": "array"}, []),
    ({"type": "array", "minItems": 1, "items": {"type": "string"}}, ["text"]), ({"type": "null"}, None),
    ({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}, {"a": "text"}),
])  # fmt: skip
def test_an_example_fits_its_schema(schema, value):
    assert openapi.sample({}, schema) == value


def test_an_example_of_what_holds_itself_comes_to_an_end():
    told = {"s": {"type": "object", "required": ["s"], "properties": {"s": {"$ref": "#/s"}}}}
    assert "s" in openapi.sample(told, told["s"])


def test_a_command_runs_as_it_is():
    told = document()
    assert run(openapi.curl(told, found("plant", told))) == [
        *("-X", "PUT", "http://127.0.0.1:8787/trees/mine/leaf?depth=7", "-H", "Authorization: Bearer secret"),
        *("-H", "content-type: application/json", "-d", '{"name":"text"}'),
    ]
    assert run(openapi.curl(told, found("look", told)))[2] == "http://127.0.0.1:8787/trees/default"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_nothing_of_a_document_is_more_than_text_to_a_shell(text):
    hold(HOSTILE)
    hold(text)


def hold(text):
    body = {"required": [text], "properties": {text: {"const": text}}}
    told = {"paths": {f"/{text}/{{{text.replace('}', '').replace('{', '')}}}": {"post": {
        "parameters": [{"name": text, "in": "query", "required": True, "schema": {"const": text}}],
        "requestBody": {"content": {text: {"schema": body}}},
    }}}}  # fmt: skip
    ((operation,),) = openapi.operations(told).values()
    words = run(openapi.curl(told, operation))
    assert len(words) == (9 if text else 5)
    assert words[:2] == ["-X", "POST"]
    assert words[2].startswith("http://127.0.0.1:8787/")
    if text:
        assert words[6] == f"content-type: {text}"
        assert json.loads(words[8]) == {text: text}
