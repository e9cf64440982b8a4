"""The page of the reference: whole, harmless, and nothing from elsewhere."""

from html.parser import HTMLParser

import pytest
from fastapi import FastAPI

from penstock.control import api, openapi
from penstock.dashboard.reference import view as reference

VOID = {"meta", "br", "link"}
EVIL = '<script src="//evil.example/x.js">alert(1)</script>"\' onload=x {} &amp; \x00 ]]> --> </style></title>'


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, data):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.links, self.text, self.style = [], set(), [], [], [], ""
        self.attributes = []
        self.feed(data.decode())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.text.append(data)

    @property
    def said(self):
        return " ".join("".join(self.text).split())


@pytest.fixture(scope="module")
def document():
    """The product's own."""
    app = FastAPI(title="Penstock", summary="A gateway.", version="1.2.3")
    for router in api.ROUTERS:
        app.include_router(router)
    return app.openapi()


@pytest.fixture(scope="module")
def page(document):
    return Page(reference.page(document))


def hostile(value):
    """The same document with every text in it hostile."""
    if isinstance(value, dict):
        return {key: hostile(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [hostile(inner) for inner in value]
    return value if not isinstance(value, str) or value.startswith("#/") else value + EVIL


ONE = {
    "info": {"title": EVIL, "summary": EVIL, "version": EVIL, "description": EVIL},
    "paths": {f"/{EVIL}/{{x}}": {"get": {
        "operationId": EVIL, "summary": EVIL, "description": EVIL, "tags": [EVIL], "x-permissions": [EVIL],
        "parameters": [{"name": EVIL, "in": EVIL, "description": EVIL, "schema": {"type": EVIL, "pattern": EVIL}}],
        "requestBody": {"description": EVIL, "content": {EVIL: {"schema": {"$ref": f"#/components/schemas/{EVIL}"}}}},
        "responses": {EVIL: {"description": EVIL, "content": {EVIL: {"schema": {"type": "string", "format": EVIL}}}}},
    }}},
    "components": {"schemas": {EVIL: {"type": "object", "description": EVIL, "properties": {
        EVIL: {"type": "string", "enum": [EVIL], "default": EVIL, "const": EVIL, "maxLength": EVIL},
    }}}},
}  # fmt: skip


def test_every_operation_and_every_schema_is_there_and_can_be_linked_to(document, page):
    ids = [op.id for listed in openapi.operations(document).values() for op in listed]
    assert len(ids) > 10
    assert set(ids) <= set(page.text)
    assert set(document["components"]["schemas"]) <= set(page.text)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_every_parameter_and_member_is_there(document, page):
    for listed in openapi.operations(document).values():
        for op in listed:
            assert op.path in page.text
            members = [*op.parameters, *({"name": f.path} for f in openapi.fields(document, op.schema, deep=True))]
            assert {str(told["name"]).rpartition(".")[2] for told in members} <= set(page.text)


@pytest.mark.parametrize(
    "made", [lambda d: d, hostile, lambda _: ONE, lambda _: {}], ids=["own", "hostile", "one", "none"]
)
def test_nothing_is_loaded_and_nothing_runs(document, made):
    page = Page(reference.page(made(document)))
    assert not page.tags & {"img", "iframe", "form", "object", "embed", "base", "audio", "video", "style"}
    named = {name for name, _ in page.attributes}
    assert not [name for name in named if name.startswith("on") or name == "style"]
    assert all(link.startswith(("#", "/")) and not link.startswith("//") for link in page.links)
    assert all(value.startswith("/ui/static/") for name, value in page.attributes if name == "src")


def test_hostile_texts_are_shown_as_they_are():
    page = Page(reference.page(ONE))
    shown = "".join(page.text)
    assert shown.count("<script src=") > 15
    assert page.tags == Page(reference.page({**ONE, "info": {}})).tags


def test_a_row_says_what_a_value_must_be():
    schema = {
        "anyOf": [{"type": "array", "maxItems": 3, "items": {"$ref": "#/components/schemas/A"}}, {"type": "null"}]
    }
    number = {"type": "number", "exclusiveMinimum": 0.0, "maximum": 1e9, "default": 2, "description": "Of `dollars`."}
    member = {"type": "object", "required": ["n"], "properties": {"n": number, "w": {"enum": ["x", None]}}}
    page = Page(reference.page({
        "paths": {"/a": {"put": {
            "operationId": "a", "x-permissions": ["Read", "Write"], "parameters": [],
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {"204": {"description": "Done."}},
        }}},
        "components": {"schemas": {"A": member}},
    }))  # fmt: skip
    assert "Permission: Read or Write" in page.said
    assert "Body: list of A or null, application/json, required." in page.said
    assert "[].nnumberrequired> 0≤ 1000000000default 2Of dollars." in page.said
    assert '[].wanythingone of "x", null' in page.said
    assert "204no bodyDone." in page.said


def test_the_same_document_makes_the_same_page(document):
    assert reference.page(document) == reference.page(document)
