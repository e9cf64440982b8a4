"""The table of settings has all that the API has."""

from typing import Any

from penstock.control.gateways import schema
from penstock.dashboard.gateways.settings import GROUPS, SETTINGS


def _named(*path: str) -> set[str]:
    """The members of a setting that can be entered."""
    members = SETTINGS
    for name in path:
        control: Any = next(one.control for one in members if one.name == name)
        members = getattr(control, "row", control).members
    return {one.name for one in members}


def test_every_setting_of_the_api_and_every_member_is_there_once():
    assert sorted(setting.name for setting in SETTINGS) == sorted(schema.Settings.model_fields)
    shapes = {
        ("dlp",): {*schema.DlpProfiles.model_fields, *schema.DlpPolicies.model_fields},
        ("dlp", "policies"): schema.DlpPolicy.model_fields.keys(),
        ("guardrails",): schema.Guardrails.model_fields.keys(),
        ("guardrails", "prompt"): schema.Categories.model_fields.keys(),
        ("guardrails", "response"): schema.Categories.model_fields.keys(),
        ("otel",): schema.Otel.model_fields.keys(),
        ("spend_limits",): schema.SpendLimits.model_fields.keys(),
        ("spend_limits", "rules"): schema.SpendRule.model_fields.keys() - {"limitType"},
        ("stripe",): schema.Stripe.model_fields.keys(),
        ("stripe", "usage_events"): schema.UsageEvent.model_fields.keys(),
    }
    assert {path: _named(*path) for path in shapes} == {path: set(names) for path, names in shapes.items()}


def test_groups_have_places_of_their_own():
    assert len({group.name for group in GROUPS}) == len(GROUPS)
