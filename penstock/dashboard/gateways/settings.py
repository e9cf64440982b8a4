"""Every setting of a gateway: in which group it is shown, what it is for, and how it is entered."""

from typing import NamedTuple

from penstock.dashboard.gateways.controls import (
    Block,
    Choice,
    Either,
    Filter,
    Guardrails,
    Headers,
    Line,
    Lines,
    Members,
    Metadata,
    Number,
    Rows,
    Secret,
    Setting,
    Switch,
    Ticks,
)


class Group(NamedTuple):
    """``name``: its place on the page."""

    name: str
    title: str
    about: str
    settings: tuple[Setting, ...]


def _same(*values: str) -> tuple[tuple[str, str], ...]:
    return tuple((value, value) for value in values)


_NO_LIMIT = "no limit"
_VERDICTS = (("FLAG", "flag"), ("BLOCK", "block"))
_TECHNIQUES = (("fixed", "fixed: windows of the clock, in UTC"), ("sliding", "sliding: the last interval at any time"))
_CATEGORIES = (
    ("P1", "Prompt injection"),
    ("S1", "Violent crimes"),
    ("S2", "Non-violent crimes"),
    ("S3", "Sex-related crimes"),
    ("S4", "Child sexual exploitation"),
    ("S5", "Defamation"),
    ("S6", "Specialised advice"),
    ("S7", "Privacy"),
    ("S8", "Intellectual property"),
    ("S9", "Indiscriminate weapons"),
    ("S10", "Hate"),
    ("S11", "Suicide and self-harm"),
    ("S12", "Sexual content"),
    ("S13", "Elections"),
)
_CATEGORY = Members(tuple(Setting(name, label, Choice(_VERDICTS)) for name, label in _CATEGORIES), needed=True)

_POLICY = Members(
    (
        Setting("id", "Name", Line()),
        Setting("enabled", "Acts", Switch()),
        Setting("action", "What is done with a finding", Choice(_VERDICTS)),
        Setting("check", "Where it looks", Ticks((("REQUEST", "prompts"), ("RESPONSE", "answers")))),
        Setting("profiles", "What is looked for", Lines(needed=True), "One profile a line."),
    )
)
_DLP = Either(
    (
        Setting("enabled", "Acts", Switch()),
        Setting("action", "What is done with a finding", Choice(_VERDICTS), "One action for all profiles."),
        Setting("profiles", "What is looked for", Lines(needed=True), "One profile a line, in prompts and answers."),
        Setting(
            "policies",
            "Or policies, each with an action of its own",
            Rows(_POLICY, "policy", needed=True),
            "Leave the action and the profiles above empty then.",
        ),
    ),
    instead="policies",
    of_other=frozenset({"profiles"}),
)
_RULE = Members(
    (
        Setting("limit", "US dollars", Number()),
        Setting("window", "Within so many seconds", Number(), "3600: an hour; 86400: a day; 2592000: 30 days."),
        Setting("id", "Name", Line(), "Names the rule and its counter.", "made of what the rule counts"),
        Setting("enabled", "Acts", Switch(), default="on"),
        Setting("technique", "Window", Choice(_TECHNIQUES), default="fixed"),
        Setting("model", "Only these models", Filter(), "One a line: gpt-5, or openai/gpt-5.", "all"),
        Setting("provider", "Only these providers", Filter(), "One a line: openai, or custom-mine.", "all"),
        Setting(
            "metadata",
            "By metadata of the call",
            Metadata(),
            "A line with a key alone: each of its values has a limit of its own. Lines as plan = pro: only calls with "
            "one of these values.",
            "all calls",
        ),
    )
)
_COLLECTOR = Members(
    (
        Setting("url", "Address", Line(), "An http or https address, without user and password."),
        Setting("authorization", "Authorization", Secret(), "Sealed where it is stored, and shown as ********."),
        Setting("content_type", "Format", Choice(_same("json", "protobuf")), default="json"),
        Setting("headers", "Headers", Headers(), "Sent along. One a line: x-team: search."),
    )
)
_STRIPE = Members(
    (
        Setting("authorization", "Secret key", Secret(), "Sealed where it is stored, and shown as ********."),
        Setting(
            "usage_events",
            "Usage events",
            Rows(Members((Setting("payload", "Payload", Block()),)), "event", needed=True),
        ),
    )
)

GROUPS: tuple[Group, ...] = (
    Group(
        "access",
        "Access and keys",
        "Who may call, and which key a provider gets to see.",
        (
            Setting(
                "authentication",
                "Authentication",
                Switch(),
                "Calls need a token with the permission AI Gateway Run; others are answered 401.",
                "off; of the gateway default: on",
            ),
            Setting(
                "byok_only",
                "Own keys only",
                Switch(),
                "Calls travel with the client's own key or a stored one, never with a key of the configuration.",
                "off",
            ),
            Setting("store_id", "Shared keys", Line(), "Gateways with the same name here share stored keys.", "none"),
            Setting(
                "workers_ai_billing_mode",
                "Who pays Workers AI",
                Choice((("postpaid", "postpaid: the customer, by an own key"), ("unified", "unified: the operator"))),
                "With postpaid, no key of the configuration travels to Workers AI.",
                "unified",
            ),
            Setting(
                "zdr",
                "Zero data retention",
                Switch(),
                "Providers are asked not to keep what a key of the configuration pays.",
                "off",
            ),
        ),
    ),
    Group(
        "limits",
        "Rate limit",
        "So many calls within so much time, all callers together. Both numbers are needed for a limit.",
        (
            Setting("rate_limiting_limit", "Calls", Number(), "Let in within the interval. 0 or empty: no limit."),
            Setting("rate_limiting_interval", "Interval in seconds", Number(), "0 or empty: no limit."),
            Setting("rate_limiting_technique", "Interval", Choice(_TECHNIQUES), default="fixed"),
        ),
    ),
    Group(
        "spending",
        "Spend limits",
        "What calls may spend. A call that a rule does not cover is answered 429 before it goes to a provider.",
        (
            Setting(
                "spend_limits",
                "Rules",
                Members(
                    (
                        Setting("enabled", "Rules act", Switch(), default="on"),
                        Setting("rules", "The rules", Rows(_RULE, "rule", fixed=(("limitType", "cost"),))),
                    )
                ),
            ),
        ),
    ),
    Group(
        "cache",
        "Cache",
        "What was answered before is answered again, without the provider.",
        (
            Setting("cache_ttl", "Seconds that an answer is kept", Number(), "0 or empty: no call is cached unasked."),
            Setting("cache_streams", "Streams too", Switch(), "Streams are cached, and answered as streams.", "on"),
            Setting(
                "cache_invalidate_on_update",
                "Drop on changes",
                Switch(needed=True),
                "Each change of the gateway drops what it has cached.",
            ),
        ),
    ),
    Group(
        "retries",
        "Retries",
        "What is done when a provider fails. A call that it may have taken is paid for, so nothing is retried unasked.",
        (
            Setting("retry_max_attempts", "Attempts", Number(), "1 to 5, the first one included.", "1"),
            Setting("retry_delay", "Delay in milliseconds", Number(), "Between two attempts, up to 60000.", "500"),
            Setting(
                "retry_backoff",
                "Growth of the delay",
                Choice(_same("constant", "linear", "exponential")),
                "From attempt to attempt.",
                "exponential",
            ),
        ),
    ),
    Group(
        "log",
        "Log",
        "What is kept of calls, and for how long.",
        (
            Setting("collect_logs", "Log calls", Switch(needed=True), "Each call has a row in the log."),
            Setting("collect_log_payloads", "Keep bodies", Switch(), "Rows keep request and response.", "on"),
            Setting("log_management", "Rows kept", Number(), "10000 to 10000000.", _NO_LIMIT),
            Setting(
                "log_management_strategy",
                "When there are as many",
                Choice((("STOP_INSERTING", "new rows are not written"), ("DELETE_OLDEST", "the oldest rows go"))),
                default="new rows are not written",
            ),
            Setting("log_retention_days", "Days that rows are kept", Number(), "1 to 3650.", _NO_LIMIT),
            Setting(
                "log_body_retention_days",
                "Days that bodies are kept",
                Number(),
                "1 to 3650; their rows stay.",
                _NO_LIMIT,
            ),
            Setting(
                "log_redact",
                "Values that are not stored",
                Lines(),
                "One path a line: metadata.email, request.messages[*].content, response.choices[*].message.content.",
                "none",
            ),
            Setting(
                "log_classification",
                "Classify calls",
                Switch(),
                "Calls are labelled with the kind of their task.",
                "off",
            ),
            Setting("logpush", "Push", Switch(), "Log records are pushed, encrypted.", "off"),
            Setting("logpush_public_key", "Public key of the push", Block(), "They are encrypted with it.", "none"),
        ),
    ),
    Group(
        "analytics",
        "Analytics",
        "What sums are kept of, which outlive the rows of the log.",
        (
            Setting(
                "analytics_metadata_keys",
                "Metadata keys",
                Lines(),
                "Up to 5, one a line: analytics tell their values apart.",
                "none",
            ),
            Setting(
                "ask_usage",
                "Ask for usage",
                Switch(),
                "Streams that would not tell their usage are asked for it; the client does not see the extra frame.",
                "on",
            ),
        ),
    ),
    Group(
        "guards",
        "Guards",
        "What is done about prompts and answers that are harmful, or hold what they should not.",
        (
            Setting(
                "guardrails",
                "Guardrails",
                Guardrails((Setting("prompt", "Prompts", _CATEGORY), Setting("response", "Answers", _CATEGORY))),
                "Of each category: flag the call, or block it.",
                "nobody looks",
            ),
            Setting("dlp", "Data loss prevention", _DLP, default="nobody looks"),
        ),
    ),
    Group(
        "export",
        "Export",
        "Who else is told of calls.",
        (
            Setting("otel", "OpenTelemetry collectors", Rows(_COLLECTOR, "collector"), "Each gets a span a call."),
            Setting("stripe", "Stripe", _STRIPE, "Usage events for a billing of your own."),
        ),
    ),
)
SETTINGS: tuple[Setting, ...] = tuple(setting for group in GROUPS for setting in group.settings)
