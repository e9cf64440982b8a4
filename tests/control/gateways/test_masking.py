import json

import pytest

from penstock.control.gateways.masking import CHANGED, audited, masked, sealed
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


# What the audit trail keeps


def trail(sent, stored):
    """The secrets before and after a change, as the audit trail has them."""
    before, after = audited(VAULT, ROW, stored, stored | store(sent, stored))
    text = json.dumps([before, after])
    assert not any(secret in text for secret in ("one", "two", "three", "v1."))
    assert before == masked(stored)
    return [entry.get("authorization") for entry in after["otel"]]


def test_another_secret_is_told_in_the_audit_without_a_word_of_it():
    stored = store(TWO)
    assert trail({"otel": [TWO["otel"][0], collector("https://b.example/x", "three")]}, stored) == [MASK, CHANGED]


def test_the_same_secret_is_no_change_in_the_audit_whatever_else_changes():
    stored = store(TWO)
    for first in (MASK, "one"):
        sent = {"otel": [collector("https://a.example/other", first), TWO["otel"][1]], "cache_ttl": 3}
        assert trail(sent, stored) == [MASK, MASK]
    assert trail({"otel": TWO["otel"][::-1]}, stored) == [MASK, MASK]


def test_secrets_that_change_places_at_one_address_are_changed():
    stored = store({"otel": [collector("https://a.example", "one"), collector("https://a.example", "two")]})
    sent = {"otel": [collector("https://a.example", "two"), collector("https://a.example", "one")]}
    assert trail(sent, stored) == [CHANGED, CHANGED]


def test_a_secret_that_comes_or_goes_shows_by_being_there():
    stored = store({"otel": [collector("https://a.example")]})
    assert trail({"otel": [collector("https://a.example", "one")]}, stored) == [MASK]
    assert trail({"otel": [collector("https://a.example")]}, store(TWO)) == [None]


def test_another_address_with_another_secret_is_told_too():
    assert trail({"otel": [collector("https://c.example", "three")]}, store(TWO)) == [CHANGED]


def test_a_secret_that_does_not_open_any_more_counts_as_another():
    stored = sealed(Vault(bytes(32)), ROW, TWO, {})
    assert trail(TWO, stored) == [CHANGED, CHANGED]
    assert trail({"otel": masked(stored)["otel"], "cache_ttl": 3}, stored) == [MASK, MASK]
