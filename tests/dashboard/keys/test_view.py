"""Stored keys in the browser."""

import json

SECRET = "sk-of-a-test-0123456789"


def test_a_key_is_stored_used_and_changed_and_its_secret_never_shown(pages, api):
    gateway = api.gateway("keys-of-ours", authentication=True)
    assert "stores no keys" in pages.get(f"/ui/keys?gateway={gateway}").said
    fields = {"alias": "main", "default_config": "true", "secret": f" {SECRET} ", "rate_limit": "5"}
    shown = pages.post(f"/ui/keys/{gateway}/new?provider=openai", fields)
    assert "rate_limit_period: is needed where rate_limit is set" in shown.said
    assert SECRET not in shown.html
    shown = pages.post(f"/ui/keys/{gateway}/new?provider=openai", fields | {"rate_limit_period": "60"})
    assert shown.url.endswith(f"/ui/keys?gateway={gateway}")
    assert "The key main of openai was stored" in shown.said
    assert "…6789 not used yet never never 5 in 60 s" in shown.said
    (key,) = api("GET", f"/ai-gateway/gateways/{gateway}/provider_configs")
    assert (key["alias"], key["default_config"], key["rate_limit"]) == ("main", True, 5)
    tested = pages.post(f"/ui/keys/{gateway}/{key['id']}/test")
    assert "Accepted with 200" in tested.said
    assert "Asked by GET http" in tested.said
    assert SECRET not in tested.html
    changed = pages.post(f"/ui/keys/{gateway}/{key['id']}", {"alias": "other"})
    assert "The key other of openai was saved" in changed.said
    (after,) = api("GET", f"/ai-gateway/gateways/{gateway}/provider_configs")
    assert (after["alias"], after["default_config"], after.get("rate_limit")) == ("other", False, None)
    assert after["secret_preview"] == "6789"
    assert SECRET not in pages.get(f"/ui/keys/{gateway}/{key['id']}").html + changed.html
    assert "was deleted" in pages.post(f"/ui/keys/{gateway}/{key['id']}/delete").said


def test_credentials_of_several_fields_become_the_document_that_is_stored(pages, api):
    gateway = api.gateway("keys-of-clouds")
    aws = {"alias": "eu", "accessKeyId": "AKIDEXAMPLE000000", "secretAccessKey": "wJalrXUtnFEMI"}
    address = f"/ui/keys/{gateway}/new?provider=aws-bedrock"
    assert "Secret access key" in pages.get(address).said
    assert "it lacks region" in pages.post(address, aws).said
    assert "…0000" in pages.post(address, aws | {"region": "eu-central-1"}).said
    google = {"type": "service_account", "project_id": "p", "client_email": "a@b.example"}
    google |= {
        "private_key_id": "0123456789abcdef",
        "private_key": "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n",
    }
    fields = {"alias": "main", "document": json.dumps(google, indent=2), "region": "europe-west4"}
    assert "…cdef" in pages.post(f"/ui/keys/{gateway}/new?provider=google-vertex-ai", fields).said
    refused = pages.post(f"/ui/keys/{gateway}/new?provider=google-vertex-ai", {"alias": "x", "document": "{"})
    assert "is not the JSON of a Google service account" in refused.said
    assert "there is no provider" in pages.post(f"/ui/keys/{gateway}/new?provider=nobody", {"alias": "x"}).said


def test_a_token_sees_the_keys_of_its_own_gateways_alone(visit, api):
    mine, theirs = api.gateway("keys-mine"), api.gateway("keys-theirs")
    limited = visit(api.token("AI Gateway Read", "AI Gateway Write", gateways=[mine]))
    assert limited.get(f"/ui/keys?gateway={mine}").status == 200
    assert limited.get(f"/ui/keys?gateway={theirs}").status == 404
    assert limited.get(f"/ui/keys/{theirs}/new").status == 404
    assert limited.post(f"/ui/keys/{theirs}/new", {"alias": "x", "secret": "y"}).status == 404
    assert limited.post(f"/ui/keys/{theirs}/x/test").status == limited.post(f"/ui/keys/{mine}/x/test").status == 404
    assert mine in limited.get("/ui/keys").said
    reader = visit(api.token("AI Gateway Read"))
    assert not [link for link in reader.get(f"/ui/keys?gateway={mine}").links if link.endswith("/new")]
    assert reader.post(f"/ui/keys/{mine}/new", {"alias": "x", "secret": "y"}).status == 403
