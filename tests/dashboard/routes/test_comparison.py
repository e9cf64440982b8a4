"""What differs between two versions, and what of it is marked."""

from penstock.dashboard.routes.comparison import MOST, Difference, compared
from tests.kit import routes as kit


def test_elements_come_go_and_change():
    before = [kit.start("m"), kit.model("m", retries=1), kit.model("old"), kit.end()]
    after = [kit.start("m"), kit.end(), kit.model("m", fallback="new", retries=True), kit.model("new")]
    found = compared(before, after)
    assert (found.before.changed, found.after.changed) == ({1: "changed", 2: "removed"}, {2: "changed", 3: "added"})
    told = [(one.element, one.how, one.path, one.before, one.after) for one in found.differences if one.path]
    assert told == [
        ("m", "changed", "properties.retries", "1", "true"),
        ("m", "changed", "outputs.fallback", None, '{"elementId":"new"}'),
    ]
    whole = [(one.element, one.how) for one in found.differences if not one.path]
    assert sorted(whole) == [("new", "added"), ("old", "removed")]


def test_the_order_of_elements_and_members_is_no_difference():
    one, other = kit.start("a"), kit.model("a")
    assert compared([one, other], [dict(reversed(other.items())), one]).differences == []


def test_the_table_is_bounded():
    many = {str(number): number for number in range(MOST + 5)}
    found = compared([kit.model("a") | {"properties": {}}], [kit.model("a") | {"properties": many}])
    assert len(found.differences) == MOST
    assert found.left_out == 5
    assert isinstance(found.differences[0], Difference)
