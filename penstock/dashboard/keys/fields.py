"""A stored key as the fields of a form, and back. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.core import codec
from penstock.dashboard.forms import Form

AWS = (
    ("accessKeyId", "Access key ID", True),
    ("secretAccessKey", "Secret access key", True),
    ("region", "Region", True),
    ("sessionToken", "Session token", False),
)
FIELDS = ("provider_slug", "alias", "default_config", "secret", "secret_id", "rate_limit", "rate_limit_period")


def body(form: Form, shape: str) -> dict[str, Any]:
    """The members that ``ProviderConfigCreate`` and ``ProviderConfigUpdate`` have. ``shape``: the provider's
    ``credential_json``.
    """
    typed = secret(form, shape)
    return {
        "alias": form.text("alias"),
        "default_config": "default_config" in form,
        "secret_id": form.text("secret_id"),
        "rate_limit": form.number("rate_limit"),
        "rate_limit_period": form.number("rate_limit_period"),
        **({"secret": typed} if typed else {}),
    }


def secret(form: Form, shape: str) -> str:
    """The key, or the document that the fields of the provider make; empty: nothing was typed."""
    if shape == "aws":
        typed = {name: text for name, _, _ in AWS if (text := form.text(name))}
        if typed:
            return codec.encode({name: typed.get(name, "") for name, _, must in AWS if must or name in typed}).decode()
    if shape == "google" and (document := form.text("document")):
        return _in_region(document, form.text("region"))
    return form.text("secret")


def shown(key: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields that say what there is."""
    for name in ("provider_slug", "alias", "secret_id", "rate_limit", "rate_limit_period"):
        yield name, str(key.get(name) or "")
    if key["default_config"]:
        yield "default_config", "true"


def standing(key: Mapping[str, Any]) -> tuple[str, str]:
    """How it stands, and the kind of badge for that."""
    used, refused = key["last_used_at"], key["last_refused_at"]
    if refused is not None and (used is None or refused >= used):
        return f"refused with {key['last_refused_status']}", "bad"
    return ("accepted", "good") if used is not None else ("not used yet", "")


def _in_region(document: str, region: str) -> str:
    """The key file, with a region added; what is no object as it was typed, for the service to refuse."""
    try:
        members: Any = codec.decode(document.encode()) if region else None
    except codec.DecodeError:
        members = None
    return codec.encode(members | {"region": region}).decode() if isinstance(members, dict) else document
