"""Every setting of a gateway is shown, changed and refused in one form, as the API has it."""

from typing import Any

import pytest

from penstock.control.gateways.schema import MASK
from penstock.dashboard.gateways.settings import SETTINGS
from tests.kit.html_form import fields

KEY = "a key of several\nlines, as they are"

# What is entered, and what the API then answers.
SET: dict[str, tuple[dict[str, Any], Any]] = {
    "analytics_metadata_keys": ({"analytics_metadata_keys": "team\nuser"}, ["team", "user"]),
    "ask_usage": ({"ask_usage": "false"}, False),
    "authentication": ({"authentication": "true"}, True),
    "byok_only": ({"byok_only": "true"}, True),
    "cache_invalidate_on_update": ({"cache_invalidate_on_update": "true"}, True),
    "cache_streams": ({"cache_streams": "false"}, False),
    "cache_ttl": ({"cache_ttl": "300"}, 300),
    "collect_log_payloads": ({"collect_log_payloads": "false"}, False),
    "collect_logs": ({"collect_logs": "false"}, False),
    "dlp": (
        {
            "dlp.enabled": "true",
            "dlp.policies.0.id": "cards",
            "dlp.policies.0.enabled": "false",
            "dlp.policies.0.action": "BLOCK",
            "dlp.policies.0.check": ["REQUEST", "RESPONSE"],
            "dlp.policies.0.profiles": "numbers of cards\nCVC",
        },
        {
            "enabled": True,
            "policies": [
                {
                    "id": "cards",
                    "enabled": False,
                    "action": "BLOCK",
                    "check": ["REQUEST", "RESPONSE"],
                    "profiles": ["numbers of cards", "CVC"],
                }
            ],
        },
    ),
    "guardrails": (
        {"guardrails.prompt.P1": "BLOCK", "guardrails.prompt.S3": "FLAG"},
        {"prompt": {"P1": "BLOCK", "S3": "FLAG"}, "response": {}},
    ),
    "log_body_retention_days": ({"log_body_retention_days": "7"}, 7),
    "log_classification": ({"log_classification": "true"}, True),
    "log_management": ({"log_management": "20000"}, 20_000),
    "log_management_strategy": ({"log_management_strategy": "DELETE_OLDEST"}, "DELETE_OLDEST"),
    "log_redact": ({"log_redact": "metadata.email\nrequest.user"}, ["metadata.email", "request.user"]),
    "log_retention_days": ({"log_retention_days": "90"}, 90),
    "logpush": ({"logpush": "true"}, True),
    "logpush_public_key": ({"logpush_public_key": KEY}, KEY),
    "otel": (
        {
            "otel.0.url": "http://8.8.8.8/v1/traces",
            "otel.0.authorization": "a secret of the collector",
            "otel.0.content_type": "protobuf",
            "otel.0.headers": "x-team: search\nx-stage: test: two",
        },
        [
            {
                "url": "http://8.8.8.8/v1/traces",
                "authorization": MASK,
                "content_type": "protobuf",
                "headers": {"x-team": "search", "x-stage": "test: two"},
            }
        ],
    ),
    "rate_limiting_interval": ({"rate_limiting_interval": "60"}, 60),
    "rate_limiting_limit": ({"rate_limiting_limit": "100"}, 100),
    "rate_limiting_technique": ({"rate_limiting_technique": "sliding"}, "sliding"),
    "retry_backoff": ({"retry_backoff": "linear"}, "linear"),
    "retry_delay": ({"retry_delay": "0"}, 0),
    "retry_max_attempts": ({"retry_max_attempts": "3"}, 3),
    "spend_limits": (
        {
            "spend_limits.enabled": "true",
            "spend_limits.rules.0.limit": "12.5",
            "spend_limits.rules.0.window": "86400",
            "spend_limits.rules.0.technique": "sliding",
            "spend_limits.rules.0.metadata": "user\nplan = pro\nplan = free",
            "spend_limits.rules.1.limit": "1",
            "spend_limits.rules.1.window": "3600",
            "spend_limits.rules.1.id": "dear",
            "spend_limits.rules.1.enabled": "false",
            "spend_limits.rules.1.model": "gpt-5\nanthropic/claude-opus-4-5",
            "spend_limits.rules.1.provider": "openai",
        },
        {
            "enabled": True,
            "rules": [
                {
                    "limit": 12.5,
                    "limitType": "cost",
                    "window": 86400,
                    "technique": "sliding",
                    "metadata": {
                        "user": {"mode": "partition"},
                        "plan": {"mode": "filter", "values": ["pro", "free"]},
                    },
                },
                {
                    "limit": 1,
                    "limitType": "cost",
                    "window": 3600,
                    "id": "dear",
                    "enabled": False,
                    "model": {"mode": "filter", "values": ["gpt-5", "anthropic/claude-opus-4-5"]},
                    "provider": {"mode": "filter", "values": ["openai"]},
                },
            ],
        },
    ),
    "store_id": ({"store_id": "shared"}, "shared"),
    "stripe": (
        {"stripe.authorization": "sk_of_a_test", "stripe.usage_events.0.payload": '{\n  "a": 1\n}'},
        {"authorization": MASK, "usage_events": [{"payload": '{\n  "a": 1\n}'}]},
    ),
    "workers_ai_billing_mode": ({"workers_ai_billing_mode": "postpaid"}, "postpaid"),
    "zdr": ({"zdr": "true"}, True),
}

# What is entered, and at which field it is refused with which words.
WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "analytics_metadata_keys": (
        {"analytics_metadata_keys": "a\nb\nc\nd\ne\nf"},
        "analytics_metadata_keys",
        "at most 5",
    ),
    "cache_ttl": ({"cache_ttl": "-1"}, "cache_ttl", "must be 0 or more"),
    "dlp": ({"dlp.policies.0.id": "x"}, "dlp.policies.0.enabled", "required"),
    "guardrails": ({"guardrails.prompt.P1": "SHRUG"}, "guardrails.prompt.P1", "'FLAG' or 'BLOCK'"),
    "log_body_retention_days": ({"log_body_retention_days": "0"}, "log_body_retention_days", "must be 1 or more"),
    "log_management": ({"log_management": "9"}, "log_management", "must be 10000 or more"),
    "log_management_strategy": ({"log_management_strategy": "HOPE"}, "log_management_strategy", "STOP_INSERTING"),
    "log_redact": ({"log_redact": "metadata.email\nbody"}, "log_redact", "must be metadata and a key"),
    "log_retention_days": ({"log_retention_days": "soon"}, "log_retention_days", "must be a whole number"),
    "logpush_public_key": ({"logpush_public_key": "short"}, "logpush_public_key", "16 or more"),
    "otel": ({"otel.0.url": "ftp://x", "otel.0.headers": "none"}, "otel.0.url", "http or https"),
    "rate_limiting_interval": ({"rate_limiting_interval": "1.5"}, "rate_limiting_interval", "must be a whole number"),
    "rate_limiting_limit": ({"rate_limiting_limit": "many"}, "rate_limiting_limit", "must be a whole number"),
    "rate_limiting_technique": ({"rate_limiting_technique": "x"}, "rate_limiting_technique", "'fixed' or 'sliding'"),
    "retry_backoff": ({"retry_backoff": "x"}, "retry_backoff", "'constant'"),
    "retry_delay": ({"retry_delay": "60001"}, "retry_delay", "must be 60000 at most"),
    "retry_max_attempts": ({"retry_max_attempts": "6"}, "retry_max_attempts", "must be 5 at most"),
    "spend_limits": ({"spend_limits.rules.0.limit": "0"}, "spend_limits.rules.0.limit", "must be more than 0"),
    "store_id": ({"store_id": "x" * 257}, "store_id", "256 characters long at most"),
    "stripe": ({"stripe.usage_events.0.payload": "x"}, "stripe.authorization", "required"),
    "workers_ai_billing_mode": ({"workers_ai_billing_mode": "x"}, "workers_ai_billing_mode", "'postpaid'"),
} | {
    name: ({name: "perhaps"}, name, "must be true or false")
    for name in (
        *("ask_usage", "authentication", "byok_only", "cache_invalidate_on_update", "cache_streams"),
        *("collect_log_payloads", "collect_logs", "log_classification", "logpush", "zdr"),
    )
}


class Settings:
    """The page of a gateway's settings."""

    def __init__(self, pages, api, gateway: str) -> None:
        self.pages, self.api, self.gateway = pages, api, gateway
        self.address = f"/ui/gateways/{gateway}/settings"

    def filled(self, *some: dict[str, Any]) -> dict[str, Any]:
        """The form as it is shown, with these changes."""
        form: dict[str, Any] = fields(self.pages.get(self.address).html, self.address)
        for changes in some:
            form |= changes
        return form

    def save(self, *some: dict[str, Any]):
        return self.pages.post(self.address, self.filled(*some))

    def stored(self) -> dict[str, Any]:
        return self.api("GET", f"/ai-gateway/gateways/{self.gateway}")

    def audit(self) -> list[dict[str, Any]]:
        entries = self.api("GET", "/ai-gateway/audit-logs?per_page=100")
        return [one for one in entries if (one["action"], one["subject"]) == ("gateway.update", self.gateway)]


@pytest.fixture
def settings(pages, api, request):
    return Settings(pages, api, api.gateway(request.node.name.replace("_", "-")[5:60]))


def test_every_setting_is_changed_and_cleared_by_its_fields(settings):
    assert set(SET) == {setting.name for setting in SETTINGS}
    shown = settings.save(*(given for given, _ in SET.values()))
    assert shown.status == 200, shown.said
    assert "does not act in this release" in shown.said
    stored = settings.stored()
    assert {name: stored[name] for name in SET} == {name: value for name, (_, value) in SET.items()}
    assert "Nothing was changed" in settings.save().said
    blank = {name: "" for name in settings.filled() if "." in name} | {"authentication": "", "cache_ttl": "", "zdr": ""}
    assert settings.save(blank | {"log_redact": ""}).status == 200
    gone = settings.stored()
    cleared = (
        "authentication",
        "cache_ttl",
        "dlp",
        "guardrails",
        "log_redact",
        "otel",
        "spend_limits",
        "stripe",
        "zdr",
    )
    assert [gone[name] for name in cleared] == [None] * len(cleared)
    assert len(settings.audit()) == 2


def test_every_setting_is_refused_at_its_field_in_the_words_of_the_api(settings):
    assert set(WRONG) == {setting.name for setting in SETTINGS}
    before = settings.stored()
    shown = settings.save(*(given for given, _, _ in WRONG.values()))
    assert shown.status == 400
    for _, field, words in WRONG.values():
        place = shown.html.partition(f'name="{field}"')[2].partition("</div>")[0].replace("&#39;", "'")
        assert words in place, field
    assert settings.stored() == before


def test_what_was_not_touched_is_sent_to_nobody(settings):
    """A secret stays as it is, and what the API took in another spelling too."""
    rules = [
        {"limit": 5.0, "limitType": "cost", "window": 60, "enabled": None, "metadata": {"a = b": {"mode": "partition"}}}
    ]
    otel = [{"url": "http://8.8.8.8/", "headers": {}, "authorization": "sealed"}]
    body = settings.stored() | {"spend_limits": {"rules": rules}, "otel": otel, "retry_delay": None, "store_id": "a\nb"}
    settings.api("PUT", f"/ai-gateway/gateways/{settings.gateway}", body)
    held = [name for name in settings.filled() if name.startswith("json:")]
    assert held == ["json:store_id", "json:spend_limits"], (
        "no line can hold a line break, nor a key with an equals sign"
    )
    settings.save({"otel.0.content_type": "json", "cache_ttl": "7"})
    entry = settings.audit()[0]
    changed = {name for name in entry["after"] if entry["after"][name] != entry["before"].get(name)}
    assert changed == {"otel", "cache_ttl"}
    assert entry["after"]["otel"][0]["authorization"] == MASK
    assert settings.save({"json:spend_limits": '{"rules": ['}).status == 400
    assert settings.save({"json:spend_limits": ""}).status == 200
    assert settings.stored()["spend_limits"] is None


def test_rows_come_and_go_without_a_script_and_save_nothing(settings):
    rule = {"spend_limits.rules.0.limit": "1", "spend_limits.rules.0.window": "60"}
    shown = settings.save(rule | {"rows": "add spend_limits.rules"})
    form = fields(shown.html, settings.address)
    assert form["spend_limits.rules.0.limit"] == ["1"]
    assert "spend_limits.rules.2.limit" in form
    assert "spend_limits" not in settings.stored()
    more = rule | {"spend_limits.rules.2.limit": "3", "spend_limits.rules.2.window": "60"}
    shown = settings.save(more | {"rows": "drop spend_limits.rules.0"})
    form = fields(shown.html, settings.address)
    assert form["spend_limits.rules.0.limit"] == ["3"]
    assert form["spend_limits.rules.1.limit"] == [""]


def test_a_change_of_somebody_else_is_not_overwritten_unawares(settings):
    form = settings.filled({"cache_ttl": "5"})
    settings.save({"retry_delay": "1"})
    shown = settings.pages.post(settings.address, form)
    assert shown.status == 400
    assert "changed by somebody else" in shown.said
    shown = settings.pages.post(settings.address, fields(shown.html, settings.address))
    assert settings.stored()["cache_ttl"] == 5


def test_who_may_only_read_sees_settings_and_changes_none(visit, api, settings):
    pages = visit(api.token("AI Gateway Read"))
    shown = pages.get(settings.address)
    assert "lacks the permission AI Gateway Write" in shown.said
    assert all("disabled" in tag for tag in shown.tags("fieldset") if tag.get("class") == "pairs")
    assert pages.post(settings.address, {"cache_ttl": "5"}).status == 403
