"""A walk goes where the elements say, and every walk ends; shares hold."""

from collections import Counter

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from penstock.features.routing.graph.fields import Facts
from penstock.features.routing.graph.reading import read
from penstock.features.routing.graph.walk import walk
from penstock.model.graph import End, GraphFault, Limit, Model, Visit
from tests.kit.routes import conditional, end, model, percentage, rate, start

PLANS = read(
    [
        start("plan"),
        conditional("plan", {"metadata.plan": "free"}, "quota", "split"),
        rate("quota", "small"),
        percentage("split", {"25%": "large", "else": "small"}),
        model("large", "end", "small"),
        model("small"),
        end(),
    ]
)


def call(**metadata):
    pairs = ",".join(f'"{name}":"{value}"' for name, value in metadata.items())
    return Facts({}, b"", f"{{{pairs}}}")


def test_a_walk_stops_where_it_needs_an_outcome_and_says_how_it_came_there():
    way = walk(PLANS, call(plan="paid"), "r", lambda: 0.2)
    assert way.at == PLANS.elements["large"]
    way.proceed(success=False, why="503")
    assert way.at == PLANS.elements["small"]
    way.proceed(success=True)
    assert way.at == End("end")
    assert way.visits == [
        Visit("start", "next"),
        Visit("plan", "false", '{"metadata.plan":"free"}'),
        Visit("split", "25%", "drawn: 0.2000"),
        Visit("large", "fallback", "503"),
        Visit("small", "success"),
    ]
    with pytest.raises(TypeError):
        way.proceed(success=True)


def test_a_route_ends_where_the_output_to_be_taken_is_not_there():
    way = walk(PLANS, call(plan="free"), "r")
    assert isinstance(way.at, Limit) and way.at.bucket(call(user="anna")) == "anna"
    way.proceed(success=False, why="10 in 60 s")
    assert way.at is None
    assert way.visits[-1] == Visit("quota", "", "10 in 60 s")
    with pytest.raises(TypeError):
        way.proceed(success=True)


def test_calls_without_the_field_of_a_limit_share_a_bucket_and_long_values_are_shortened():
    quota = PLANS.elements["quota"]
    assert isinstance(quota, Limit)
    assert quota.bucket(call()) == quota.bucket(Facts({})) == ""
    long = {quota.bucket(call(user="x" * 1000 + end)) for end in "ab"}
    assert len(long) == 2 and max(map(len, long)) <= 128


# ---- every graph ends


@st.composite
def graphs(draw, *, astray=False):
    """Elements that lead to later ones alone, unless ``astray``, to any; listed in any order."""
    size = draw(st.integers(1, 12))
    names = [f"e{index}" for index in range(size)] + ["end"]
    elements = [start(names[0])]
    for index in range(size):
        later = st.sampled_from(names[index + 1 :])
        later = later | st.sampled_from(names) if astray else later
        maybe = st.none() | later
        elements.append(
            draw(
                st.builds(conditional, st.just(names[index]), st.just({"metadata.a": "1"}), later, later)
                | st.builds(
                    lambda name, a, b: percentage(name, {"50%": a, "else": b}), st.just(names[index]), later, later
                )
                | st.builds(rate, st.just(names[index]), later, maybe)
                | st.builds(model, st.just(names[index]), later, maybe)
            )
        )
    return draw(st.permutations([*elements, end()]))


@given(
    graphs(),
    st.lists(st.booleans(), min_size=12, max_size=12),
    st.lists(st.floats(0, 1, exclude_max=True), min_size=12, max_size=12),
)
def test_every_walk_of_every_graph_ends(elements, outcomes, draws):
    graph = read(elements)
    way = walk(graph, call(a="1"), "r", iter(draws).__next__)
    for success in outcomes:
        if not isinstance(way.at, Limit | Model):
            break
        way.proceed(success=success)
    assert way.at is None or isinstance(way.at, End)
    visited = [visit.element for visit in way.visits]
    assert len(set(visited)) == len(visited)
    assert all(visit.output for visit in way.visits[:-1])


@given(graphs(astray=True))
def test_a_graph_is_refused_where_and_only_where_it_leads_back(elements):
    leads = {each["id"]: {to["elementId"] for to in each["outputs"].values()} for each in elements}
    while ends := [name for name, targets in leads.items() if targets.isdisjoint(leads)]:
        for name in ends:
            del leads[name]
    event("leads back" if leads else "ends")
    if leads:
        with pytest.raises(GraphFault, match="leads back"):
            read(elements)
    else:
        read(elements)


# ---- shares


def split(outputs, **properties):
    """Names of models -> their shares."""
    outputs = {f"{share}% {name}": name for name, share in outputs.items()}
    models = [model(name) for name in sorted({*outputs.values()})]
    return read([start("split"), percentage("split", outputs, **properties), *models, end()])


def test_drawn_shares_are_exact_over_all_draws():
    graph = split({"a": 12.5, "b": 0, "c": 37.5, "d": 50})
    taken = Counter(walk(graph, call(), "r", lambda: index / 1000).at.id for index in range(1000))  # type: ignore[union-attr] # noqa: B023
    assert taken == {"a": 125, "c": 375, "d": 500}


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5).filter(any))
def test_drawn_shares_are_those_that_are_named_whatever_they_are(weights):
    sizes = [weight * 100_000_000 // sum(weights) for weight in weights]
    sizes[0] += 100_000_000 - sum(sizes)
    graph = sticky(sizes)
    taken = Counter(walk(graph, call(), "r", lambda at=at: at / 500).at.id for at in range(500))  # type: ignore[union-attr,misc]
    for index, size in enumerate(sizes):
        assert abs(taken[f"m{index}"] - 500 * size / 100_000_000) <= 1
        assert size or not taken[f"m{index}"]


def test_draws_are_independent_and_random():
    graph = split({"a": 30, "b": 70})
    taken = Counter(walk(graph, call(), "r").at.id for _ in range(1000))  # type: ignore[union-attr]
    assert 200 < taken["a"] < 400


def kept(graph, route="r", sessions=1000):
    return [walk(graph, Facts({b"cf-aig-session-id": b"s%d" % index}), route).at.id for index in range(sessions)]  # type: ignore[union-attr]


def test_a_sticky_share_is_kept_whatever_is_drawn_and_in_any_order_of_the_outputs():
    before = kept(split({"a": 30, "b": 70}, stickyBy="session"))
    assert kept(split({"a": 30, "b": 70}, stickyBy="session")) == before
    assert kept(split({"b": 70, "a": 30}, stickyBy="session")) == before


def test_sticky_shares_hold_and_differ_from_route_to_route():
    graph = split({"a": 30, "b": 70, "c": 0}, stickyBy="session")
    one, other = kept(graph), kept(graph, "other")
    for taken in (Counter(one), Counter(other)):
        assert 200 < taken["a"] < 400 and taken["c"] == 0
    both = sum(a == b == "a" for a, b in zip(one, other, strict=True))
    assert 40 < both < 150  # 90, if the one says nothing of the other


def test_a_call_without_what_it_would_be_kept_by_is_drawn():
    graph = split({"a": 30, "b": 70}, stickyBy="metadata.user")
    way = walk(graph, call(), "r", lambda: 0.29)
    assert way.at == graph.elements["a"] and way.visits[-1].why.startswith("drawn: ")
    way = walk(graph, call(user="anna"), "r", lambda: 1 / 0)
    assert way.visits[-1].why == "sticky by metadata.user"


@given(st.lists(st.integers(1, 100), min_size=2, max_size=5), st.data())
def test_changed_shares_move_only_from_those_that_shrink_to_those_that_grow(weights, data):
    giver, taker = data.draw(st.permutations(range(len(weights))))[:2]
    sizes = [weight * 100_000_000 // sum(weights) for weight in weights]
    sizes[giver] += 100_000_000 - sum(sizes)
    moved = sizes[giver] // data.draw(st.sampled_from([1, 2, 10]))
    before = kept(sticky(sizes), sessions=100)
    sizes[giver] -= moved
    sizes[taker] += moved
    after = kept(sticky(sizes), sessions=100)
    for old, new in zip(before, after, strict=True):
        assert old != f"m{taker}" or new == old
        assert new != f"m{giver}" or new == old


def sticky(sizes):
    outputs = {f"{size / 1_000_000:.6f}% {index}": f"m{index}" for index, size in enumerate(sizes)}
    models = [model(f"m{index}") for index in range(len(sizes))]
    return read([start("split"), percentage("split", outputs, stickyBy="session"), *models, end()])
