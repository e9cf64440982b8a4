"""The list of calls: each field of its form, and what is kept in its address."""

import re

import pytest


@pytest.fixture(scope="module")
def gateway(api):
    name = api.gateway("listed-calls")
    api.chat(name, "the needle", headers={"cf-aig-metadata": '{"user": "ann", "team": "search"}'})
    api.chat(name, "hay", model="gpt-4o")
    api.chat(name, "hay", headers={"cf-aig-metadata": '{"user": "bob"}'})
    return name


def found(shown):
    return [link for link in shown.links if re.fullmatch(r"/ui/logs/[\w-]+/[0-9a-f-]{36}", link)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("model=gpt-4o", 1),
        ("status=2xx&success=true&cached=false", 3),
        ("status=404", 0),
        ("search=needle", 1),
        ("span=1h&min_cost=0&max_duration=60000", 3),
        ("start_date=2099-01-01", 0),
        ("metadata_key=user&metadata_value=bob", 1),
        ("metadata_key=team", 1),
        ("filters[0][key]=model&filters[0][operator]=contains&filters[0][value]=mini", 2),
        ("filters[4][key]=metadata.user&filters[4][operator]=eq&filters[4][value]=ann%0D%0Abob", 2),
        ('filters=[{"key":"model","operator":"eq","value":["gpt-4o"]}]', 1),
        ("filters[0][key]=&filters[0][operator]=eq&filters[0][value]=&provider=&model=", 3),
    ],
)
def test_it_shows_what_the_address_asks_for(pages, gateway, query, count):
    shown = pages.get(f"/ui/logs?gateway={gateway}&{query}")
    assert shown.status == 200, shown.said
    assert len(found(shown)) == count


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("min_cost=x", "min_cost: must be a number"),
        ("status=7xx", "status: must be a status"),
        ("start_date=tomorrow", "start_date: must be ISO 8601"),
        ("search=a", "search: must be 2 or more"),
        ("metadata_value=x", "metadata: say under which key"),
        (
            "filters[3][key]=cost&filters[3][operator]=contains&filters[3][value]=1",
            "filters.0.operator: must be one of",
        ),
        ("filters[0][key]=nothing&filters[0][value]=1", "filters.0.key: must be one of"),
        ("order_by=cost&search=needle", "search: goes with the order"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(pages, gateway, query, sentence):
    shown = pages.get(f"/ui/logs?gateway={gateway}&{query}")
    assert shown.status == 400
    assert sentence in shown.said
    assert any(tag.get("aria-invalid") for name in ("input", "select") for tag in shown.tags(name))


def test_filters_as_the_api_takes_them_are_told_wrong_too(pages, gateway):
    shown = pages.get(f"/ui/logs?gateway={gateway}&filters=[")
    assert shown.status == 400
    assert "filters: is not JSON" in shown.said


def test_a_form_of_htmx_gets_the_part_that_changes_and_an_address_that_says_what_counts(pages, gateway):
    part = pages.part(f"/ui/logs?gateway={gateway}&provider=&model=gpt-4o&status=&columns=model&columns=cost")
    assert "<html" not in part.html
    assert part.headers["hx-push-url"] == f"/ui/logs?gateway={gateway}&model=gpt-4o&columns=model,cost"
    assert len(found(part)) == 1
    assert [tag.get("scope") for tag in part.tags("th")] == ["col", "col"]


def test_pages_columns_and_orders_are_links(pages, api):
    gateway = api.gateway("paged-calls")
    made = [api.chat(gateway, model=model) for model in ("gpt-4o", "gpt-4o-mini", "gpt-4.1")]
    first = pages.get(f"/ui/logs?gateway={gateway}&per_page=2")
    (onward,) = [tag["href"] for tag in first.tags("a") if tag.get("rel") == "next"]
    assert [link.rpartition("/")[2] for link in found(first) + found(pages.get(onward))] == made[::-1]
    (by_model,) = [link for link in first.links if "order_by=model" in link]
    shown = pages.get(by_model)
    assert [tag["aria-sort"] for tag in shown.tags("th") if "aria-sort" in tag] == ["descending"]
    (onward,) = [tag["href"] for tag in shown.tags("a") if tag.get("rel") == "next"]
    assert len(found(pages.get(onward))) == 1
    (counting,) = [link for link in first.links if "meta_info=true" in link]
    assert "3 calls" in pages.get(counting).said


def test_it_follows_the_calls_where_asked(pages, api):
    gateway = api.gateway("followed-calls")
    api.chat(gateway)
    shown = pages.get(f"/ui/logs?gateway={gateway}")
    (follow,) = [link for link in shown.links if "follow=true" in link]
    (asks,) = [tag["hx-get"] for tag in pages.get(follow).tags("section") if "hx-get" in tag]
    row = api.chat(gateway)
    assert found(pages.part(asks))[0].endswith(row)
    assert not any(
        "hx-get" in tag for tag in pages.get(f"/ui/logs?gateway={gateway}&follow=true&search=abc").tags("section")
    )


def test_a_view_is_kept_under_a_name(pages, visit, api, gateway):
    asked = f"gateway={gateway}&model=gpt-4o&columns=model,cost"
    kept = pages.post("/ui/logs/views/save", {"name": " Mine <b> ", "query": asked})
    assert "Mine <b>" in kept.said
    assert f"/ui/logs?{asked}" in kept.links
    pages.post("/ui/logs/views/save", {"name": "Mine <b>", "query": f"gateway={gateway}"})
    shown = pages.get("/ui/logs")
    assert f"/ui/logs?{asked}" not in shown.links
    elsewhere = visit(api.token("AI Gateway Read", gateways=["paged-calls"]))
    assert "Mine" not in elsewhere.get("/ui/logs").said
    assert pages.post("/ui/logs/views/save", {"name": "x" * 81, "query": asked}).status == 400
    (view,) = re.findall(r'value="(\w{32})">Mine', shown.html)
    assert elsewhere.post("/ui/logs/views/delete", {"view": view}).status == 404
    assert elsewhere.post("/ui/logs/views/save", {"name": "Mine <b>", "query": ""}).status == 409
    assert elsewhere.post("/ui/logs/views/save", {"name": "Yours", "query": f"gateway={gateway}"}).status == 404
    assert "Mine" not in pages.post("/ui/logs/views/delete", {"view": view}).said


def test_a_token_for_one_gateway_sees_no_calls_of_others(visit, api, gateway):
    pages = visit(api.token("AI Gateway Read", gateways=["another"]))
    assert pages.get(f"/ui/logs?gateway={gateway}").status == 404


def test_what_a_list_shows_is_deleted_after_asking(pages, visit, api):
    gateway = api.gateway("deleted-calls")
    for model in ("gpt-4o", "gpt-4o-mini", "gpt-4o"):
        api.chat(gateway, model=model)
    (link,) = [
        link for link in pages.get(f"/ui/logs?gateway={gateway}&model=gpt-4o&span=1h").links if "/logs/delete?" in link
    ]
    asks = pages.get(link)
    assert "2 calls of the gateway deleted-calls go" in asks.said
    assert "Nothing was filtered" not in asks.said
    api.chat(gateway, model="gpt-4o")  # came after the question
    (query,) = [tag["value"] for tag in asks.tags("input") if tag.get("name") == "query"]
    assert "2 calls were deleted." in pages.post("/ui/logs/delete", {"query": query}).said
    assert len(found(pages.get(f"/ui/logs?gateway={gateway}"))) == 2
    assert "Nothing was filtered" in pages.get(f"/ui/logs/delete?gateway={gateway}").said
    assert pages.get(f"/ui/logs/delete?gateway={gateway}&search=abc").status == 400
    reader = visit(api.token("AI Gateway Read"))
    assert "Delete them" not in reader.get(f"/ui/logs?gateway={gateway}").said
    assert reader.post("/ui/logs/delete", {"query": query}).status == 403
    assert pages.post("/ui/logs/delete", {"query": ""}).status == 400
