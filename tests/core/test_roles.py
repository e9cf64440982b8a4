from penstock.core.options import Setting
from penstock.core.roles import PARTS, Part
from penstock.core.settings import SETTINGS


def test_every_role_that_can_be_set_has_its_parts():
    (row,) = [row for row in SETTINGS if row.name == "role"]
    assert isinstance(row, Setting)
    assert {row.kind.parse(role) for role in PARTS} == {"all", "proxy", "control", "worker"}
    assert PARTS["all"] == frozenset(Part)
    assert frozenset.union(*(parts for role, parts in PARTS.items() if role != "all")) == PARTS["all"]


def test_whoever_is_asked_for_a_part_it_has_not_names_its_role_and_the_one_that_has_it():
    assert "its role is control" in Part.CALLS.absent("control")
    assert "role proxy" in Part.CALLS.absent("control")
    assert "role control" in Part.API.absent("proxy")
