"""The editor, driven as a browser without scripts drives it: each button sends the whole form."""

import re

import pytest

from penstock.core import codec
from penstock.dashboard.routes.ready import READY
from tests.kit import routes as kit

FALLBACK = READY["fallback"].elements


@pytest.fixture(scope="module")
def gateway(api):
    return api.gateway("edited")


class Editor:
    """A route's editor as it is shown now."""

    def __init__(self, pages, page, version=""):
        self.pages, self.page = pages, page
        self.shown = pages.get(f"{page}/edit?version={version}")
        assert self.shown.status == 200

    def fields(self):
        """As the form would be sent."""
        found = {tag["name"]: tag.get("value") or "" for tag in self.shown.tags("input") if tag.get("name")}
        for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', self.shown.html, re.DOTALL):
            chosen = re.search(r'value="([^"]*)" selected', inside) or re.search(r'value="([^"]*)"', inside)
            found[name] = chosen[1] if chosen else ""
        return {name: value.replace("&#34;", '"') for name, value in found.items()}

    def press(self, deed, **typed):
        fields = self.fields() | {name.replace("_", "-"): value for name, value in typed.items()} | {"do": deed}
        self.shown = self.pages.post(f"{self.page}/edit", fields)
        return self.shown

    @property
    def elements(self):
        return codec.decode(self.fields()["graph"])

    @property
    def names(self):
        return [each["id"] for each in self.elements]


@pytest.fixture
def edit(pages, api, gateway, request):
    """Opens the editor of a new route."""

    def edit(elements=FALLBACK):
        name = re.sub(r"\W", "-", request.node.name)[:60]
        route = api("POST", f"/ai-gateway/gateways/{gateway}/routes", {"name": name, "elements": elements})
        return Editor(pages, f"/ui/routes/{gateway}/{route['id']}")

    return edit


def stored(api, editor):
    """The route as the API has it."""
    gateway, route = editor.page.split("/")[-2:]
    return api("GET", f"/ai-gateway/gateways/{gateway}/routes/{route}")


def test_a_graph_is_changed_saved_and_deployed(edit, api):
    editor = edit()
    assert editor.press("choose 1", p_id="first").status == 200
    editor.press("apply", t_0_model="gpt-4o", p_retries="2")
    editor.press("add", kind="conditional", after="0 next")
    assert editor.names == ["start", "condition", "first", "second", "end"]
    assert "Element condition" in editor.shown.said
    editor.press("apply", c_0_value="free", o_1_to="second")
    editor.press("save")
    assert "Version 2 was saved." in editor.shown.said
    assert stored(api, editor)["version"]["number"] == 1
    again = Editor(editor.pages, editor.page)
    assert again.names == ["start", "first", "second", "end"]  # the deployed one
    editor = Editor(editor.pages, editor.page, editor.shown.url.partition("version=")[2])
    editor.press("deploy")
    assert "Version 2 is deployed; calls take its way now." in editor.shown.said
    assert stored(api, editor)["elements"] == [
        kit.start("condition"),
        {"id": "condition", "type": "conditional", "properties": {"conditions": {"metadata.plan": "free"}},
         "outputs": {"true": kit.to("first"), "false": kit.to("second")}},
        kit.model("first", fallback="second", model="gpt-4o", retries=2) | {"id": "first"},
        FALLBACK[2],
        FALLBACK[3],
    ]  # fmt: skip


def test_what_was_typed_is_kept_whatever_button_is_pressed(edit):
    editor = edit()
    editor.press("choose 2", t_0_model="typed", p_id="renamed")
    assert editor.elements[1]["properties"]["model"] == "typed"
    assert editor.elements[0]["outputs"]["next"] == kit.to("renamed")
    assert editor.fields()["p-id"] == "second"


def test_elements_are_removed_and_connected(edit):
    editor = edit()
    editor.press("connect 2 1 fallback")
    assert editor.elements[2]["outputs"]["fallback"] == kit.to("first")
    assert "It cannot run yet: elements.2.outputs.fallback.elementId: leads back to 'first'" in editor.shown.said
    assert "fault" in next(t["class"] for t in editor.shown.tags("a") if t.get("data-element") == "2").split()
    editor.press("remove 2")
    assert editor.names == ["start", "first", "end"]
    assert "It cannot run" not in editor.shown.said
    for nothing in ("remove 99", "remove x", "connect 1", "connect 0 99 next", "choose 99", "add", "odd", ""):
        editor.press(nothing, kind="odd")
        assert editor.names == ["start", "first", "end"], nothing


def test_a_draft_that_cannot_run_is_saved_and_not_deployed(edit, api):
    editor = edit()
    editor.press("apply", o_0_to="", o_1_to="")
    assert editor.press("deploy").status == 400
    assert "The graph cannot be deployed as it is" in editor.shown.said
    assert "outputs.success: is missing" in editor.shown.said
    editor.press("save")
    assert "Version 2 was saved." in editor.shown.said
    assert "cannot run" in editor.shown.said
    assert stored(api, editor)["version"]["number"] == 1


def test_nothing_is_saved_where_nothing_has_changed(edit):
    editor = edit()
    assert editor.press("save").status == 400
    assert "Nothing has changed since version 1." in editor.shown.said


def test_the_graph_is_replaced_by_json(edit):
    editor = edit()
    editor.press("raw", raw=codec.encode([kit.start("end"), kit.end()]).decode())
    assert editor.names == ["start", "end"]
    for raw, said in (("{", "elements: is no JSON"), ("[{}]", "id: Field required"), ("[" + "[" * 5000, "elements")):
        shown = editor.press("raw", raw=raw)
        assert shown.status == 400
        assert said in shown.said
        assert editor.names == ["start", "end"]
    editor.press("raw", raw=codec.encode([kit.model(f"m{n}") for n in range(51)]).decode())
    assert editor.shown.status == 400
    assert editor.names == ["start", "end"]


def test_a_condition_that_is_no_json_is_shown_again(edit):
    editor = edit(READY["metadata"].elements)
    shown = editor.press("choose 2", p_condition="{oops")
    assert shown.status == 400
    assert "condition: is no JSON" in shown.said
    assert "{oops</textarea>" in shown.html
    assert "Element plan" in shown.said


def test_a_call_is_tried_on_what_is_not_stored(edit):
    editor = edit()
    editor.press("apply", t_0_model="gpt-4o")
    shown = editor.press("try", body="", metadata="", **{"assume-1": "fallback"})
    passed = [tag["aria-label"] for tag in shown.tags("a") if "passed" in (tag.get("class") or "").split()]
    assert [one.split(":")[0] for one in passed] == ["Start start", "Model first", "Model second", "End end"]
    assert "openai/gpt-4o" in shown.said
    assert "body: is no JSON" in editor.press("try", body="{").said


def test_every_element_of_the_schema_can_be_opened(edit):
    elements = [
        kit.start("c"), kit.conditional("c", {"metadata.a": {"$not": {"$eq": 1}}}, "r", "p"), kit.rate("r", "m"),
        kit.percentage("p", {"10%": "m", "else": "m"}, stickyBy="session"), kit.end("end"),
        kit.model("m", health={"failures": 3}, targets=[{"provider": "openai", "model": "a"}]),
    ]  # fmt: skip
    editor = edit(elements)
    for index in range(len(elements)):
        assert editor.press(f"choose {index}").status == 200
        assert editor.elements == elements


def test_who_may_only_read_does_not_edit(edit, visit, api):
    editor, reader = edit(), visit(api.token("AI Gateway Read"))
    assert reader.get(f"{editor.page}/edit").status == 403
    assert reader.post(f"{editor.page}/edit", editor.fields() | {"csrf": reader.csrf, "do": "save"}).status == 403


def test_hostile_names_are_text_in_the_editor(edit):
    bad = '"><script>alert(1)</script>\u202e'
    editor = edit([kit.start(bad), kit.model(bad, "end", model=bad), kit.end("end")])
    shown = editor.press("choose 1")
    assert "<script>alert" not in shown.html
    assert f"Element {bad.replace(chr(0x202E), '[U+202E]')}" in shown.said
