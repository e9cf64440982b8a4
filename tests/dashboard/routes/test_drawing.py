"""Any elements that can be stored are drawn: boxes do not overlap, and every line leads from a box to a box."""

import time
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.control.routes.schema import MOST_ELEMENTS
from penstock.dashboard.routes.drawing import Marks, drawn, shortened
from penstock.dashboard.routes.layout import BESIDE, Edge, apart, arrange
from tests.kit import routes as kit
from tests.kit.hostile_text import TEXTS

ids = st.sampled_from(["a", "b", "c", "d", "e", "f", "g", "", "漢字", *(text[:256] for text in TEXTS.values())])
outputs = st.dictionaries(st.sampled_from(["true", "false", "success", "fallback", "50%", "else"]), ids, max_size=6)
element = st.builds(
    lambda name, kind, outputs: {
        "id": name,
        "type": kind,
        "outputs": {output: kit.to(to) for output, to in outputs.items()},
    },
    ids,
    st.sampled_from(["start", "conditional", "percentage", "rate", "rate_limit", "model", "end"]),
    outputs,
)


def overlaps(one, other):
    return (
        abs((one.x + one.width / 2) - (other.x + other.width / 2)) < (one.width + other.width) / 2
        and abs(one.y - other.y) < one.height
    )


@given(st.lists(element, max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_graph_is_drawn(elements):
    drawing = drawn(elements)
    assert [box.element for box in drawing.boxes if box.element is not None] == sorted(
        range(len(elements)), key=lambda index: elements[index]["type"] != "start"
    )
    assert not any(overlaps(*pair) for pair in combinations(drawing.boxes, 2))
    for box in drawing.boxes:
        assert 0 <= box.x <= box.x + box.width <= drawing.width
        assert 0 <= box.y <= box.y + box.height <= drawing.height
    names = [each["id"] for each in elements]
    leads = [
        (index, name, to["elementId"]) for index, each in enumerate(elements) for name, to in each["outputs"].items()
    ]
    assert len(drawing.lines) == len(leads)
    ghosts = [box for box in drawing.boxes if box.element is None]
    assert sorted(ghost.id for ghost in ghosts) == sorted(to for _, _, to in leads if to not in names)
    assert [[lead.target for lead in leads] for leads in drawing.leads] == [
        [to["elementId"] for to in each["outputs"].values()] for each in elements
    ]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30))
@settings(max_examples=150, deadline=None)
def test_a_box_is_below_those_that_lead_to_it_unless_a_line_leads_back(pairs):
    edges = [Edge(*pair) for pair in pairs]
    found = arrange([100.0] * 10, edges)
    for edge, line in zip(edges, found.lines, strict=True):
        assert line.back or found.boxes[edge.source][1] < found.boxes[edge.target][1]
    upward = [Edge(min(edge), max(edge)) for edge in edges if edge.source != edge.target]
    assert not any(line.back for line in arrange([100.0] * 10, upward).lines)


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=12))
def test_places_are_a_step_apart_and_stay_where_they_are_wanted_if_they_can(wanted):
    steps = [50.0] * (len(wanted) - 1)
    found = apart(wanted, steps)
    assert all(right - left >= 50 - 1e-6 for left, right in pairwise(found))
    assert apart(found, steps) == pytest.approx(found)


def test_a_tree_has_no_crossing_and_a_chain_is_straight():
    chain = arrange([100.0] * 4, [Edge(0, 1), Edge(1, 2), Edge(2, 3)])
    assert len({x for x, _ in chain.boxes}) == 1
    tree = arrange([100.0] * 7, [Edge(0, 2), Edge(0, 1), Edge(1, 6), Edge(2, 4), Edge(1, 5), Edge(2, 3)])
    left, right = sorted((1, 2), key=lambda box: tree.boxes[box][0])
    below = {1: (5, 6), 2: (3, 4)}
    assert max(tree.boxes[box][0] for box in below[left]) < min(tree.boxes[box][0] for box in below[right])
    assert abs(tree.boxes[3][0] - tree.boxes[4][0]) == 100 + BESIDE


@pytest.mark.parametrize("target", ["end", "nowhere"])
def test_the_largest_graph_is_drawn_at_once(target):
    """Each element leads to the next five, or to nothing at all."""
    names = [f"e{index}" for index in range(MOST_ELEMENTS - 2)] + ["end"]
    elements = [kit.start("e0")]
    for index, name in enumerate(names[:-1]):
        to = [*names[index + 1 : index + 6], "end"] if target == "end" else [target] * 400
        elements.append(kit.percentage(name, {f"{n}%": each for n, each in enumerate(to)}))
    elements.append(kit.end())
    began = time.process_time()
    drawing = drawn(elements)
    assert time.process_time() - began < 0.5  # a tenth of a second, on a machine that does nothing else
    assert len(drawing.boxes) <= 9 * MOST_ELEMENTS


def test_marks_are_seen_in_colour_and_as_signs():
    marks = Marks(passed={0: 1, 1: 2}, taken=frozenset({(0, "next")}), fault=2, changed={3: "added"}, chosen=1)
    elements = [kit.start("a"), kit.model("a", "b"), kit.model("b", "end", "a"), kit.end()]
    drawing = drawn(elements, marks, "/at/{}".format)
    assert [(box.classes.split()[2:], box.sign, box.href) for box in drawing.boxes] == [
        (["passed"], "1", "/at/0"),
        (["passed", "chosen"], "2", "/at/1"),
        (["fault"], "!", "/at/2"),
        (["added"], "+", "/at/3"),
    ]
    assert sorted((line.label, line.classes) for line in drawing.lines) == [
        ("fallback", "edge fault otherwise"),
        ("next", "edge taken"),
        ("success", "edge"),
        ("success", "edge"),
    ]


def test_long_and_wide_texts_are_cut():
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcde…"
    assert len(shortened("漢字漢字漢字", 6)) == 3
