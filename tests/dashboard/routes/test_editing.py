"""What the editor does to a graph: whatever it was, it can still be stored, and what was not meant stays."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.control.routes.faults import fault
from penstock.control.routes.schema import VersionCreate
from penstock.dashboard.routes import editing
from penstock.dashboard.routes.ready import READY
from tests.dashboard.routes.test_drawing import element
from tests.kit import routes as kit

GRAPH = READY["fallback"].elements


def names(elements):
    return [each["id"] for each in elements]


@given(st.lists(element, min_size=1, max_size=6), st.data())
@settings(max_examples=150, deadline=None)
def test_any_graph_can_still_be_stored_after_any_step(elements, data):
    index = data.draw(st.integers(0, len(elements) - 1))
    place = data.draw(st.sampled_from([None, *[(at, name) for at, name, _ in editing.places(elements)]]))
    added, made = editing.add(elements, data.draw(st.sampled_from(editing.KINDS)), place)
    assert len(added) == len(elements) + 1
    assert names(added).count(added[made]["id"]) == 1
    for found in (
        added,
        editing.remove(elements, index),
        editing.renamed(elements, index, "new"),
        editing.connect(elements, index, "success", "x"),
    ):
        VersionCreate.model_validate({"elements": found})


@given(st.sampled_from(sorted(READY)), st.data())
def test_a_graph_that_can_run_still_can_when_something_comes_into_an_output(name, data):
    elements = READY[name].elements
    kind = data.draw(st.sampled_from(["model", "conditional", "percentage", "rate"]))
    place = data.draw(st.sampled_from([(at, output) for at, output, _ in editing.places(elements)]))
    added, made = editing.add(elements, kind, place)
    assert fault(added) is None
    assert elements[place[0]] == READY[name].elements[place[0]]  # the old list is as it was
    removed = editing.remove(added, made)
    assert fault(removed) is None
    assert names(removed) == names(elements)


def test_what_led_to_an_element_leads_on_when_it_is_removed():
    removed = editing.remove(GRAPH, 1)  # first, whose success leads to the end
    assert names(removed) == ["start", "second", "end"]
    assert removed[0]["outputs"] == {"next": kit.to("end")}


def test_a_new_name_is_known_to_all_that_lead_there():
    renamed = editing.renamed(GRAPH, 2, "other")
    assert names(renamed) == ["start", "first", "other", "end"]
    assert renamed[1]["outputs"]["fallback"] == kit.to("other")
    twins = editing.renamed([kit.start("a"), kit.model("a"), kit.model("a")], 1, "b")
    assert (names(twins), twins[0]["outputs"]["next"]) == (["start", "b", "a"], kit.to("a"))


def test_an_output_is_connected_and_taken_away():
    connected = editing.connect(GRAPH, 2, "fallback", "first")
    assert connected[2]["outputs"] == {"success": kit.to("end"), "fallback": kit.to("first")}
    assert editing.connect(connected, 2, "fallback", "") == GRAPH
