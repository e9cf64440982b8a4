"""Forms as browsers send them, and what is wrong with them at the right field."""

import pytest

from penstock.control.gateways.schema import GatewayCreate
from penstock.core.errors import Invalid
from penstock.dashboard.forms import MOST_FIELDS, Faults, Form, Wrong, checked


def test_fields_are_read_as_browsers_send_them():
    form = Form.read(b"name=+ada+&tags=a&tags=&tags=b&text=one%0D%0A%0D%0Atwo&none=")
    assert form.text("name") == "ada"
    assert form.whole("name") == " ada "
    assert form.all("tags") == ["a", "b"]
    assert form.lines("text") == ["one", "two"]
    assert "none" in form
    assert form.text("other", "else") == "else"


def test_numbers_are_numbers_and_all_else_is_left_as_it_was_typed():
    typed = {"12": 12, "1.5": 1.5, "": None, "many": "many", "9" * 5_000: "9" * 5_000}
    for text, number in typed.items():
        assert Form([("limit", text)]).number("limit") == number


@pytest.mark.parametrize("body", ["ü".encode(), b"&".join([b"a=b"] * (MOST_FIELDS + 1))])
def test_what_is_no_form_is_refused(body):
    with pytest.raises(Invalid):
        Form.read(body)


def test_what_the_api_would_refuse_is_told_at_its_field():
    with pytest.raises(Wrong) as wrong:
        checked(GatewayCreate, {"id": "No", "rate_limiting_limit": "many"})
    faults = wrong.value.faults
    assert faults.at("id") == ["id: an id is 1 to 64 of a-z, 0-9, _ and -"]
    assert faults.at("rate_limiting_limit")
    assert not faults.at("rate_limiting")
    told = faults.elsewhere("id", "rate_limiting_limit")
    assert faults.at("cache_ttl")[0] in told


def test_what_a_service_refuses_is_told_at_its_field():
    faults = Faults.of(Invalid("rules.0.limit: must be more", path=("body", "rules", 0, "limit")))
    assert faults.at("rules") == faults.at("rules.0") == faults.at("rules.0.limit") == ["rules.0.limit: must be more"]
    assert faults.elsewhere("rules") == []
    assert not Faults()
