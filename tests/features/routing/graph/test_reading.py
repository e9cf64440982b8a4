"""Elements become a graph, in both their spellings; what cannot run is refused with the path of the fault."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.features.routing.graph.reading import read
from penstock.model.graph import Conditional, End, GraphFault, Limit, Model, ModelTarget, Percentage, Start
from tests.kit.routes import conditional, end, model, percentage, rate, start, to

# A route as the documentation writes it, and the same as the SDKs' types have it.
DOCUMENTED = [
    start("plan"),
    {
        "type": "conditional",
        "id": "plan",
        "properties": {"condition": {"metadata.plan": {"$eq": "free"}}},
        "outputs": {"true": to("quota"), "false": to("large")},
    },
    {
        "type": "rate_limit",
        "id": "quota",
        "properties": {
            "limitType": "count",
            "key": "metadata.user",
            "limit": 5,
            "interval": 3600,
            "technique": "fixed",
        },
        "outputs": {"success": to("large"), "fallback": to("small")},
    },
    model("large", "end", "small", provider="openai", model="gpt-4o", timeout=1500, retries=2),
    model("small", "end", provider="custom-own", model="tiny"),
    {"type": "end", "id": "end"},
]
TYPED = [
    start("plan"),
    conditional("plan", {"metadata.plan": {"$eq": "free"}}, "quota", "large"),
    rate("quota", "large", "small", limit=5.0, window=3600.0),
    model("large", "end", "small", provider="openai", model="gpt-4o", timeout=1500.0, retries=2.0),
    model("small", "end", provider="custom-own", model="tiny"),
    end(),
]


def plain(graph):
    """The graph without its functions."""
    return {
        name: {
            field: value for field, value in msgspec.structs.asdict(element).items() if field not in ("test", "bucket")
        }
        | {"kind": type(element)}
        for name, element in graph.elements.items()
    }


def fault(elements):
    with pytest.raises(GraphFault) as caught:
        read(elements)
    return caught.value.path, caught.value.message


def test_both_spellings_are_the_same_graph():
    assert plain(read(DOCUMENTED)) == plain(read(TYPED))


def test_every_element_says_what_was_written():
    graph = read(DOCUMENTED)
    assert graph.start == "start"
    elements = graph.elements
    assert elements["start"] == Start("start", "plan")
    plan, quota = elements["plan"], elements["quota"]
    assert isinstance(plan, Conditional)
    assert (plan.text, plan.true, plan.false) == ('{"metadata.plan":{"$eq":"free"}}', "quota", "large")
    assert isinstance(quota, Limit)
    assert (quota.kind, quota.key, quota.limit, quota.interval) == ("count", "metadata.user", 5, 3600)
    assert (quota.technique, quota.success, quota.fallback) == ("fixed", "large", "small")
    assert elements["large"] == Model("large", (ModelTarget("openai", "gpt-4o"),), 1.5, 2, "end", "small")
    assert elements["small"] == Model("small", (ModelTarget("custom-own", "tiny"),), None, 0, "end", None)
    assert elements["end"] == End("end")


@pytest.mark.parametrize(("kind", "technique"), [("rate", "fixed"), ("rate_limit", "sliding")])
def test_the_technique_left_out_is_that_of_the_spelling(kind, technique):
    graph = read([start("quota"), rate("quota") | {"type": kind}, end()])
    quota = graph.elements["quota"]
    assert isinstance(quota, Limit) and quota.technique == technique


@pytest.mark.parametrize(
    ("outputs", "sizes"),
    [
        ({"100%": "a"}, [100]),
        ({"10%": "a", "90%": "b"}, [10, 90]),
        ({"50%": "a", "50.0%": "b"}, [50, 50]),
        ({"50% old": "a", "50% new": "b"}, [50, 50]),
        ({"33.3%": "a", "33.3 %": "b", "33.4%": "a"}, [33.3, 33.3, 33.4]),
        ({"0%": "a", "100%": "b"}, [0, 100]),
        ({"10%": "a", "else": "b"}, [10, 90]),
        ({"else": "a"}, [100]),
        ({"100%": "a", "else": "b"}, [100, 0]),
        ({"0.000001%": "a", "else": "b"}, [0.000001, 99.999999]),
    ],
)
def test_shares_are_the_numbers_of_their_names_and_else_is_the_rest(outputs, sizes):
    split = read([start("split"), percentage("split", outputs), model("a"), model("b"), end()]).elements["split"]
    assert isinstance(split, Percentage)
    assert [share.size for share in split.shares] == [round(size * 1_000_000) for size in sizes]
    assert [share.element for share in split.shares] == [*outputs.values()]


def test_what_is_unknown_is_ignored_and_an_element_that_nothing_leads_to_too():
    extra = {"position": {"x": 1}, "label": "mine"}
    elements = [start("end") | extra, end() | extra, model("spare", note="later")]
    assert set(read(elements).elements) == {"start", "end", "spare"}


LONG = [model(f"m{index}", f"m{index + 1}" if index < 47 else "end") for index in range(48)]


def test_fifty_elements_are_taken():
    assert len(read([start("m0"), *LONG, end()]).elements) == 50


def changed(element, *path_and_value):
    """A copy of an element with another value at a path; ``...`` takes the member away."""
    *path, value = path_and_value
    if len(path) == 1:
        rest = {name: old for name, old in element.items() if name != path[0]}
        return rest if value is ... else rest | {path[0]: value}
    return element | {path[0]: changed(element[path[0]], *path[1:], value)}


def alone(element):
    """The element in a route that is right but for it, in the place 1."""
    return [start(element.get("id", "x")), element, model("m"), end()]


MODEL, RATE = model("x"), rate("x")
COND = conditional("x", {"metadata.plan": "free"}, "m", "end")
FAULTS = [
    ([], ("elements",), "1 to 50 elements"),
    ([start("m0"), *LONG, end(), end("other")], ("elements",), "1 to 50 elements"),
    ([end()], ("elements",), "exactly one element of type start"),
    ([start("end"), start("end", "again"), end()], ("elements",), "exactly one element of type start"),
    (alone(conditional("x", {"metadata.a": {"$regex": "\ud800"}}, "m", "end")), ("elements",), "surrogates"),
    (["start"], ("elements", 0), "must be an object"),
    ([start("end"), end(), end()], ("elements", 2, "id"), "'end'"),
    ([start("elementId", "id")], ("elements", 0, "outputs", "next", "elementId"), "no element of this route"),
    ([start("a"), model("a", "a"), end()], ("elements", 1, "outputs", "success", "elementId"), "leads back to 'a'"),
    (
        [start("a"), model("a", "b"), model("b", "end", "a"), end()],
        ("elements", 2, "outputs", "fallback", "elementId"),
        "leads back to 'a'",
    ),
    (
        [start("end"), end(), model("a", "b"), model("b", "a")],
        ("elements", 3, "outputs", "success", "elementId"),
        "'a'",
    ),
    (alone(changed(MODEL, "id", ...)), ("elements", 1, "id"), "is missing"),
    ([start("end"), changed(MODEL, "id", 7), end()], ("elements", 1, "id"), "text"),
    (alone(changed(MODEL, "type", ...)), ("elements", 1, "type"), "is missing"),
    (alone(changed(MODEL, "type", "loop")), ("elements", 1, "type"), "start, conditional"),
    (alone(changed(MODEL, "type", ["model"])), ("elements", 1, "type"), "start, conditional"),
    (alone(changed(MODEL, "outputs", ...)), ("elements", 1, "outputs"), "is missing"),
    (alone(changed(MODEL, "outputs", "success", {})), ("elements", 1, "outputs", "success", "elementId"), "is missing"),
    (alone(changed(MODEL, "outputs", "success", "end")), ("elements", 1, "outputs", "success"), "must be an object"),
    (
        alone(changed(MODEL, "outputs", "else", to("end"))),
        ("elements", 1, "outputs", "else"),
        "no output of an element of type model",
    ),
    (
        alone(changed(end("x"), "outputs", "next", to("m"))),
        ("elements", 1, "outputs", "next"),
        "no output of an element of type end",
    ),
    (alone(changed(MODEL, "properties", ...)), ("elements", 1, "properties"), "is missing"),
    (alone(changed(MODEL, "properties", "provider", "")), ("elements", 1, "properties", "provider"), "text"),
    (alone(changed(MODEL, "properties", "model", ...)), ("elements", 1, "properties", "model"), "is missing"),
    (alone(changed(MODEL, "properties", "timeout", -1)), ("elements", 1, "properties", "timeout"), "from 0 to"),
    (alone(changed(MODEL, "properties", "timeout", 0.5)), ("elements", 1, "properties", "timeout"), "whole number"),
    (alone(changed(MODEL, "properties", "timeout", "9")), ("elements", 1, "properties", "timeout"), "whole number"),
    (alone(changed(MODEL, "properties", "retries", 6)), ("elements", 1, "properties", "retries"), "from 0 to 5"),
    (alone(changed(MODEL, "properties", "retries", True)), ("elements", 1, "properties", "retries"), "from 0 to 5"),
    (alone(changed(RATE, "properties", "limitType", "x")), ("elements", 1, "properties", "limitType"), "count, cost"),
    (alone(changed(RATE, "properties", "key", ...)), ("elements", 1, "properties", "key"), "is missing"),
    (alone(changed(RATE, "properties", "key", "user")), ("elements", 1, "properties", "key"), "metadata.<key>"),
    (alone(changed(RATE, "properties", "limit", 0)), ("elements", 1, "properties", "limit"), "from 1 to"),
    (alone(changed(RATE, "properties", "limit", 1.5)), ("elements", 1, "properties", "limit"), "whole number"),
    (alone(rate("x", limitType="cost", limit=0)), ("elements", 1, "properties", "limit"), "above 0"),
    (alone(changed(RATE, "properties", "window", 0)), ("elements", 1, "properties", "window"), "from 1 to"),
    (alone(changed(RATE, "properties", "window", ...)), ("elements", 1, "properties", "window"), "is missing"),
    (alone(rate("x", interval=61)), ("elements", 1, "properties", "interval"), "differs from window"),
    (alone(rate("x", technique="lax")), ("elements", 1, "properties", "technique"), "fixed, sliding"),
    (alone(changed(COND, "properties", "conditions", ...)), ("elements", 1, "properties", "conditions"), "is missing"),
    (alone(changed(COND, "outputs", "false", ...)), ("elements", 1, "outputs", "false"), "is missing"),
    (
        alone(conditional("x", {"metadata.plan": {"$eqq": 1}}, "m", "end")),
        ("elements", 1, "properties", "conditions", "metadata.plan", "$eqq"),
        "no operator",
    ),
    (alone(percentage("x", {})), ("elements", 1, "outputs"), "1 to 5"),
    (alone(percentage("x", {f"{n}%": "m" for n in range(6)})), ("elements", 1, "outputs"), "1 to 5"),
    (alone(percentage("x", {"50%": "m", "49.9%": "end"})), ("elements", 1, "outputs"), "they are 99.9 %"),
    (alone(percentage("x", {"99.999999%": "m"})), ("elements", 1, "outputs"), "they are 99.999999 %"),
    (alone(percentage("x", {"50%": "m", "51%": "end"})), ("elements", 1, "outputs"), "they are 101 %"),
    (alone(percentage("x", {"50%": "m", "51%": "end", "else": "m"})), ("elements", 1, "outputs"), "they are 101 %"),
    (alone(percentage("x", {"half": "m", "else": "m"})), ("elements", 1, "outputs", "half"), "named for its share"),
    (alone(percentage("x", {"101%": "m"})), ("elements", 1, "outputs", "101%"), "named for its share"),
    (alone(percentage("x", {"-1%": "m", "else": "m"})), ("elements", 1, "outputs", "-1%"), "named for its share"),
    (
        alone(percentage("x", {"100%": "m"}, stickyBy="body.user")),
        ("elements", 1, "properties", "stickyBy"),
        "session or metadata.<key>",
    ),
]


@pytest.mark.parametrize(("elements", "path", "message"), FAULTS)
def test_what_cannot_run_is_refused_with_the_path_of_the_fault(elements, path, message):
    told_path, told = fault(elements)
    assert told_path == path
    assert message in told


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text() | st.sampled_from(["id", "type", "outputs", "properties", "next", "elementId"]), inner
            )
        ),
    )
)
def test_whatever_stands_in_an_element_it_is_read_or_refused(anything):
    for elements in (
        [anything],
        [start("x"), anything, end("x")],
        [start("x"), percentage("x", {}) | {"outputs": anything}],
    ):
        try:
            read(elements)  # type: ignore[arg-type]
        except GraphFault as error:
            assert error.path[0] == "elements"
