"""Spend: what calls cost, in time and by whatever tells them apart."""

import csv
import io
import json

import pytest


def _costs(dollars, **metadata):
    """Headers of a call that costs so much."""
    told = {"cf-aig-custom-cost": json.dumps({"total_cost": dollars})}
    return told | ({"cf-aig-metadata": json.dumps(metadata)} if metadata else {})


@pytest.fixture(scope="module")
def gateway(api):
    name = api.gateway("spending", analytics_metadata_keys=["team"])
    api.chat(name, "dear", headers=_costs(3, team="=blue"))
    api.chat(name, "cheap", "gpt-4o", headers=_costs(1, team="red"))
    return name


def test_it_shows_shares_of_the_cost_and_a_chart_with_its_table(pages, gateway):
    shown = pages.get(f"/ui/spend?by=model&span=24h&gateway={gateway}")
    assert "Cost $4.00" in shown.said
    assert "gpt-4o-mini 75.0 % $3.00" in shown.said
    assert "gpt-4o 25.0 % $1.00" in shown.said
    assert [tag["data-kind"] for tag in shown.tags("figure")] == ["stack"]
    assert {"3.0", "1.0"} <= {tag.get("data-value") for tag in shown.tags("td")}


def test_a_group_leads_to_what_it_is_made_of(pages, gateway):
    shown = pages.get(f"/ui/spend?by=metadata&key=team&span=7d&gateway={gateway}")
    (link,) = [link for link in shown.links if "metadata=team%3Dred" in link]
    inside = pages.get(link)
    assert "Cost $1.00" in inside.said
    assert "gpt-4o 100.0 %" in inside.said


def test_a_key_that_no_gateway_counts_by_is_told(pages, gateway):
    assert "no gateway names 'unknown'" in pages.get("/ui/spend?by=metadata&key=unknown").said
    shown = pages.get("/ui/spend?by=metadata")
    assert (shown.status, "Say which key" in shown.said) == (400, True)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("span=90d&interval=minute", "ask for less time"),
        ("start=2026-01-02T00:00&end=2026-01-01T00:00", "start: must be before end"),
        ("start=yesterday", "start:"),
        ("interval=week", "interval:"),
    ],
)
def test_what_cannot_be_asked_is_told_at_its_field(pages, query, sentence):
    shown = pages.get(f"/ui/spend?{query}")
    assert shown.status == 400
    assert sentence in shown.said


def test_the_table_is_there_as_csv_without_formulas(pages, gateway):
    shown = pages.get(f"/ui/spend.csv?by=metadata&key=team&gateway={gateway}")
    assert shown.headers["content-disposition"] == 'attachment; filename="spend-by-metadata.csv"'
    rows = list(csv.DictReader(io.StringIO(shown.html)))
    assert [(row["group"], row["cost"]) for row in rows] == [("'=blue", "3.0"), ("red", "1.0")]


def test_a_token_sees_what_its_gateways_spent(visit, api, gateway):
    other = visit(api.token("AI Gateway Metadata Read", gateways=["another"]))
    assert "No calls in this time." in other.get("/ui/spend").said
