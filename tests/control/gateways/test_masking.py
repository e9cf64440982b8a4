import json

import pytest

from penstock.control.gateways.masking import masked, sealed
from penstock.control.gateways.schema import MASK
from penstock.core.errors import Invalid
from penstock.core.sealing import Vault

VAULT = Vault(bytes(range(32)))
ROW = ("account", "g")


def collector(url, authorization=None, **more):
    return {"url": url, "headers": {}} | ({"authorization": authorization} if authorization else {}) | more


def store(sent, stored=None):
    return sealed(VAULT, ROW, sent, stored or {})


def opened(settings, *path):
    found = settings
    for part in path:
        found = found[part]
    field = ".".join(part for part in path if isinstance(part, str))
    return VAULT.open(found, "gateways", *ROW, field)


TWO = {"otel": [collector("https://a.example/x", "one"), collector("https://b.example/x", "two")]}


def test_secrets_are_sealed_and_shown_as_a_mask():
    sent = TWO | {"stripe": {"authorization": "sk_1", "usage_events": []}, "cache_ttl": 3}
    stored = store(sent)
    text = json.dumps(stored)
    assert not any(secret in text for secret in ("one", "two", "sk_1"))
    assert opened(stored, "otel", 1, "authorization") == "two"
    assert opened(stored, "stripe", "authorization") == "sk_1"
    shown = masked(stored)
    assert [entry["authorization"] for entry in shown["otel"]] == [MASK, MASK]
    assert shown["stripe"] == {"authorization": MASK, "usage_events": []}
    assert sent["otel"][0]["authorization"] == "one"  # what came is not touched
    assert text == json.dumps(stored)


def test_what_holds_no_secret_is_left_alone():
    sent = {"otel": [collector("https://a.example"), collector("https://b.example") | {"authorization": None}]}
    assert store(sent) == masked(sent) == sent
    assert store({"otel": None, "stripe": None}) == masked({"otel": None, "stripe": None})


def test_the_mask_keeps_what_is_stored_to_the_letter():
    stored = store(TWO)
    assert store(masked(stored), stored) == stored


def test_the_same_secret_again_changes_nothing():
    stored = store(TWO)
    assert store(TWO, stored) == stored


def test_another_secret_takes_its_place():
    changed = store({"otel": [collector("https://a.example/x", "three")]}, store(TWO))
    assert opened(changed, "otel", 0, "authorization") == "three"


def test_the_mask_finds_its_entry_by_the_url_wherever_it_stands():
    stored = store(TWO)
    turned = store({"otel": masked(stored)["otel"][::-1]}, stored)
    assert opened(turned, "otel", 0, "authorization") == "two"
    assert opened(turned, "otel", 1, "authorization") == "one"


def test_of_entries_with_one_url_each_keeps_its_own():
    stored = store({"otel": [collector("https://a.example", "one"), collector("https://a.example", "two")]})
    assert store(masked(stored), stored) == stored


def test_the_mask_follows_a_path_that_changed():
    changed = store({"otel": [collector("https://a.example/other", MASK)]}, store(TWO))
    assert opened(changed, "otel", 0, "authorization") == "one"


def test_the_mask_follows_a_query_that_changed():
    stored = store({"otel": [collector("https://a.example", "one")]})
    for url in ("https://a.example?b", "https://A.example/#c", "https://a.example/d?https://e"):
        assert opened(store({"otel": [collector(url, MASK)]}, stored), "otel", 0, "authorization") == "one"


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://evil.example?https://a.example/x",
        "https://a.example.evil.example/x",
        "http://a.example/x",
        "https://a.example:8443/x",
        "https://c.example",
    ],
)
def test_a_stored_secret_never_goes_to_another_origin(url):
    with pytest.raises(Invalid, match="none is stored for this address") as refused:
        store({"otel": [collector(url, MASK)]}, store(TWO))
    assert refused.value.path == ("body", "otel", 0, "authorization")


def test_a_mask_that_stands_for_nothing_is_refused():
    with pytest.raises(Invalid) as refused:
        store({"stripe": {"authorization": MASK, "usage_events": []}}, TWO)
    assert refused.value.path == ("body", "stripe", "authorization")


def test_a_secret_sealed_under_another_master_key_can_be_replaced():
    stored = sealed(Vault(bytes(32)), ROW, TWO, {})
    assert opened(store(TWO, stored), "otel", 0, "authorization") == "one"
