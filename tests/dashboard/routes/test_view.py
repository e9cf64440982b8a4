"""Routes: listed, created, drawn, tried, deployed, renamed and deleted, over a socket."""

import re

import pytest

from penstock.dashboard.routes.ready import READY
from tests.kit import routes as kit

GRAPH = [
    kit.start("plan"),
    kit.conditional("plan", {"metadata.plan": "free"}, "quota", "share"),
    kit.rate("quota", "cheap", "dear", limit=1),
    kit.percentage("share", {"25%": "cheap", "else": "dear"}),
    kit.model("cheap", fallback="dear", provider="groq", model="llama-3.3-70b-versatile"),
    kit.model("dear", model="gpt-4o"),
    kit.end(),
]
BROKEN = [kit.start("m"), kit.model("m", success="nowhere"), kit.end()]


@pytest.fixture(scope="module")
def gateway(api):
    return api.gateway("routed")


@pytest.fixture
def made(api, gateway, request):
    """Makes a route; its page's address."""

    def made(elements=GRAPH, name=None):
        name = name or re.sub(r"\W", "-", request.node.name)[:60]
        route = api("POST", f"/ai-gateway/gateways/{gateway}/routes", {"name": name, "elements": elements})
        return f"/ui/routes/{gateway}/{route['id']}"

    return made


def version(api, page, elements):
    """Adds a version; its id."""
    gateway, route = page.split("/")[-2:]
    return api("POST", f"/ai-gateway/gateways/{gateway}/routes/{route}/versions", {"elements": elements})["version_id"]


def looks(shown, mark):
    """The names of the boxes that are marked so."""
    return [tag["aria-label"].split(":")[0] for tag in shown.tags("a") if mark in (tag.get("class") or "").split()]


def test_the_list_tells_how_to_call_a_route_and_what_is_wrong_with_one(pages, gateway, made):
    page = made(name="listed")
    made(BROKEN, name="broken")
    shown = pages.get(f"/ui/routes?gateway={gateway}")
    assert page in shown.links
    assert "dynamic/listed" in shown.said
    assert "cannot run not deployed" in shown.said


def test_a_route_is_created_from_a_ready_graph(pages, api, gateway):
    fields = {"gateway": gateway, "name": "from ready", "ready": "split", "deploy": "true"}
    shown = pages.post("/ui/routes", fields)
    assert shown.status == 200
    assert "The route from ready was created." in shown.said
    route = next(
        one for one in api("GET", f"/ai-gateway/gateways/{gateway}/routes?per_page=100") if one["name"] == "from ready"
    )
    assert route["elements"] == READY["split"].elements
    assert route["version"]["active"] == "true"
    again = pages.post("/ui/routes", fields)
    assert again.status == 400
    assert "has a route from ready already" in again.said
    assert "a name is 1 to 64 of" in pages.post("/ui/routes", fields | {"name": "a/b"}).said


@pytest.mark.parametrize("name", sorted(READY))
def test_every_ready_graph_can_run_once_there_is_something_between(name):
    from penstock.control.routes.faults import fault

    assert fault(READY[name].elements) is None


def test_the_deployed_version_is_drawn_with_the_labels_of_its_outputs(pages, made):
    page = made()
    shown = pages.get(page)
    boxes = [tag for tag in shown.tags("a") if "data-element" in tag]
    assert {box["aria-label"] for box in boxes} >= {
        "Start start: a call begins here", "Condition plan: metadata.plan = free",
        "Limit quota: 1 call in 1 minute by metadata.user", "Model dear: openai/gpt-4o",
    }  # fmt: skip
    assert all(box["href"] == f"#element-{box['data-element']}" for box in boxes)
    for label in ("true", "false", "fallback", "25%", "else", "success"):
        assert f"<title>{label}</title>" in shown.html
    assert len(re.findall(r'<g class="edge', shown.html)) == 10
    assert {f'id="element-{n}"' in shown.html for n in range(7)} == {True}  # in words
    assert "true → quota" in shown.said


def test_a_fault_is_marked_where_it_is(pages, made):
    shown = pages.get(made(BROKEN))
    assert (
        "It cannot be deployed: elements.1.outputs.success.elementId: is no element of this route: 'nowhere'"
        in shown.said
    )
    assert looks(shown, "fault") == ["Model m"]
    assert "Missing nowhere" in shown.said
    assert looks(shown, "unreached") == ["End end"]


def test_the_way_of_a_call_lights_up(pages, made):
    page = made()
    version_id = next(tag["value"] for tag in pages.get(page).tags("input") if tag.get("name") == "version")
    call = {
        "version": version_id,
        "metadata": "plan=free\nuser=ada",
        "headers": "x-level: 2",
        "body": "",
        "draw": "0.5",
    }
    shown = pages.post(f"{page}/simulate", call)
    assert shown.status == 200
    assert looks(shown, "passed") == ["Start start", "Condition plan", "Limit quota", "Model cheap", "End end"]
    assert shown.html.count("edge taken") == 4
    assert "metadata.user = ada: 0 used, 1 calls in 60 s" in shown.said
    assert "groq/llama-3.3-70b-versatile" in shown.said
    failed = pages.post(f"{page}/simulate", call | {"assume-4": "fallback", "assume-5": "fallback"})
    assert "No model would answer" in failed.said
    assert looks(failed, "passed")[-2:] == ["Model cheap", "Model dear"]


def test_what_is_wrong_with_a_call_is_told_at_its_field(pages, made):
    page = made()
    shown = pages.post(f"{page}/simulate", {"metadata": "plan", "body": "{", "draw": "x", "headers": "a"})
    assert shown.status == 400
    assert "metadata: each line must be a name, = and a value: plan" in shown.said
    assert "body: is no JSON" in shown.said
    assert shown.html.count('aria-invalid="true"') == 4
    assert "draw" in pages.post(f"{page}/simulate", {"draw": "1"}).said


def test_versions_are_compared_side_by_side(pages, api, made):
    page = made()
    changed = [dict(each) for each in GRAPH if each["id"] != "cheap"]
    changed[2] = kit.rate("quota", "dear", "new", limit=5)
    changed[3] = kit.percentage("share", {"25%": "new", "else": "dear"})
    newer = version(api, page, [*changed, kit.model("new")])
    shown = pages.get(f"{page}/compare?before=&after={newer}")
    assert looks(shown, "changed") == ["Limit quota", "Split share"] * 2
    assert looks(shown, "removed") == ["Model cheap"]
    assert looks(shown, "added") == ["Model new"]
    assert "quotachangedproperties.limit15" in shown.said.replace(" ", "")
    assert "The two versions do the same." in pages.get(f"{page}/compare").said


def test_a_version_is_deployed_and_rolled_back(pages, api, made):
    page = made()
    newer = version(api, page, GRAPH[:])
    shown = pages.get(f"{page}?version={newer}")
    assert "Version 2 not deployed" in shown.said
    assert shown.said.count("PENSTOCK_API_TOKEN") == 2 + 3 + said_by_every_page(pages)  # who made them
    shown = pages.post(f"{page}/deploy", {"version": newer})
    assert "Version 2 of the route" in shown.said
    assert "Version 2 deployed" in shown.said
    shown = pages.post(f"{page}/roll-back")
    assert "Version 1 of the route" in shown.said
    assert "Version 1 deployed" in shown.said


def said_by_every_page(pages):
    return pages.get("/ui/kit").said.count("PENSTOCK_API_TOKEN")


def test_a_version_that_cannot_run_is_not_deployed(pages, api, made):
    page = made()
    worse = version(api, page, BROKEN)
    assert "Deploy version 2" not in pages.get(f"{page}?version={worse}").said
    shown = pages.post(f"{page}/deploy", {"version": worse})
    assert shown.status == 400
    assert "is no element of this route" in shown.said


def test_a_route_is_renamed_exported_and_deleted(pages, gateway, made):
    page = made(name="before")
    assert "The route is named after now." in pages.post(f"{page}/rename", {"name": "after"}).said
    shown = pages.post(f"{page}/rename", {"name": "a/b"})
    assert shown.status == 400
    assert "a name is 1 to 64 of" in shown.said
    answer = pages.http.get(f"{page}/export")
    assert answer.json() == {"name": "after", "elements": GRAPH}
    assert answer.headers["content-disposition"] == 'attachment; filename="after.json"'
    shown = pages.post(f"{page}/delete")
    assert shown.url.endswith(f"/ui/routes?gateway={gateway}")
    assert "The route after was deleted." in shown.said
    assert pages.get(page).status == 404


def test_a_token_that_may_only_read_looks_and_tries_and_no_more(visit, api, made):
    page, reader = made(), visit(api.token("AI Gateway Read"))
    shown = reader.get(page)
    assert shown.status == 200
    assert not {"Edit", "Rename", "Delete", "Delete…"} & set(shown.said.split())
    assert reader.post(f"{page}/simulate").status == 200
    for deed in ("deploy", "roll-back", "rename", "delete"):
        assert reader.post(f"{page}/{deed}").status == 403
    assert "Create a route" not in reader.get("/ui/routes").said
    assert reader.post("/ui/routes", {"name": "x"}).status == 403


def test_a_token_of_another_gateway_sees_nothing_of_it(visit, api, gateway, made):
    page, other = made(), api.gateway("routed-elsewhere")
    limited = visit(api.token("AI Gateway Read", "AI Gateway Write", gateways=[other]))
    assert limited.get("/ui/routes").status == 200
    for address in (page, f"/ui/routes?gateway={gateway}", f"{page}/export", f"{page}/compare"):
        assert limited.get(address).status == 404, address
    assert limited.post(f"{page}/delete").status == 404
    assert limited.post("/ui/routes", {"gateway": gateway, "name": "mine"}).status == 404
    assert page.split("/")[-1] in pages_of(api, gateway)


def pages_of(api, gateway):
    return [one["id"] for one in api("GET", f"/ai-gateway/gateways/{gateway}/routes?per_page=100")]


def test_hostile_names_are_text(pages, made):
    bad = '"><script>alert(1)</script>\u202e'
    shown = pages.get(
        made([kit.start(bad), kit.model(bad, "end", model=bad), kit.model("end", bad, bad), kit.end("x")])
    )
    assert shown.status == 200
    assert "<script>alert" not in shown.html
    assert "\u202e" not in shown.html
