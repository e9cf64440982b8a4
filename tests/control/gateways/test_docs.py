"""docs/gateways.md says of every field what the schema says."""

import re

import pytest

from penstock.control.gateways.compile_settings import NOT_YET, STORED_ONLY
from penstock.control.gateways.schema import DEFAULT_GATEWAY, Categories, Settings

SCHEMA = Settings.model_json_schema()
WITH_ANOTHER = {"rate_limiting_interval"}  # says nothing alone


def resolve(schema):
    return SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def kinds(schema):
    """The alternatives of a field, without null; and whether null is one."""
    found = [resolve(kind) for kind in resolve(schema).get("anyOf", [schema])]
    return [kind for kind in found if kind.get("type") != "null"], {"type": "null"} in found


def words(schema, needed):
    alternatives, nullable = kinds(schema)
    first = alternatives[0]
    return plain(first) + (", or null" if nullable else "") + ("; *needed*" if needed else "")


def plain(kind):
    kind = resolve(kind)
    if "const" in kind or "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind.get("enum") or [kind["const"]])
    match kind["type"]:
        case "boolean":
            return "true or false"
        case "integer":
            return f"whole number, {kind['minimum']:,} to {kind['maximum']:,}"
        case "number":
            return f"number above {kind['exclusiveMinimum']:,}, up to {kind['maximum']:,}"
        case "string":
            least = f"{kind['minLength']:,} to" if "minLength" in kind else "up to"
            return f"text, {least} {kind['maxLength']:,} characters"
        case "array":
            inner = plain(kind["items"])
            return f"list, up to {kind['maxItems']}" + ("" if inner == "object" else f", of {inner}")
        case "object" if "patternProperties" in kind:
            (values,) = kind["patternProperties"].values()
            inner = "text" if values.get("type") == "string" else "object"
            return f"names to {inner}, up to {kind['maxProperties']}"
    return "object"


def members(schema, path):
    """(path, kind) of every member of an object or of a list of objects, however deep."""
    for kind in kinds(schema)[0]:
        if kind.get("type") == "array":
            yield from members(kind["items"], path + "[]")
        elif kind.get("title") not in ("Categories", "Filter"):
            for name, part in kind.get("properties", {}).items():
                yield f"{path}.{name}", words(part, name in kind.get("required", ()))
                yield from members(part, f"{path}.{name}")


FIELDS = {name: words(part, name in SCHEMA["required"]) for name, part in SCHEMA["properties"].items()}
MEMBERS = dict(pair for name, part in SCHEMA["properties"].items() for pair in members(part, name))


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "gateways.md").read_text("utf-8")


@pytest.fixture(scope="module")
def rows(page):
    """First cell -> the others."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    return {first.strip("`"): rest for first, *rest in cells}


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_there_with_its_range_and_whether_it_acts(name, rows):
    kind, default, acts, sentence = rows[name]
    assert kind == FIELDS[name]
    assert (default == "–") is ("*needed*" in kind)
    assert acts == ("with the limit" if name in WITH_ANOTHER else "not yet" if name in NOT_YET else "yes")
    assert sentence.endswith(".")


@pytest.mark.parametrize("path", MEMBERS)
def test_every_member_is_there_with_its_range(path, rows):
    assert rows[path][0] == MEMBERS[path]


def test_nothing_else_is_there(rows):
    addresses = {name for name in rows if name.startswith(("GET ", "POST ", "PUT ", "DELETE "))}
    categories = {name for name in rows if name in Categories.model_fields}
    assert set(rows) - addresses - categories == FIELDS.keys() | MEMBERS.keys()


def test_every_category_is_there(page):
    assert set(re.findall(r"\| `([PS]\d+)` \|", page)) == set(Categories.model_fields)


def test_the_code_and_the_mask_are_there(page):
    assert f"code {STORED_ONLY}" in page
    assert "`********`" in page


def test_what_is_on_in_the_default_gateway_is_told(page):
    on = [f"`{name}`" for name, value in DEFAULT_GATEWAY.items() if value]
    assert f"with {' and '.join(on)}\non" in page
