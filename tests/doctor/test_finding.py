"""What checks look at, and how they say what they find."""

import pytest

from penstock.doctor.finding import LEVELS, ok, problem, warning


def test_a_finding_has_a_remedy_unless_all_is_well():
    found = [ok("a", "b"), warning("a", "b", "c"), problem("a", "b", "c")]
    assert [one.level for one in found] == list(LEVELS)
    assert [one.remedy for one in found] == ["", "c", "c"]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_the_database_is_the_one_that_a_server_would_use(subject, data_dir, scheme):
    assert subject().database_url == f"sqlite:///{data_dir}/penstock.db"
    assert not subject().shared
    url = f"{scheme}://127.0.0.1/penstock"
    assert subject(database_url=url, master_key="5a" * 32).database_url == url
    assert subject(database_url=url, master_key="5a" * 32).shared
