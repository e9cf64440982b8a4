"""Accounts and their tokens, gateways and their routes, the audit trail, and the log."""

import secrets

import sqlalchemy as sa
from alembic import op

from penstock.storage.migrations import first_dashboard, first_payments

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
step = "before"

# SQLite's integers are of any length; its primary key is a row's number, and must be called INTEGER.
LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")  # compared byte by byte, as SQLite does


def upgrade() -> None:
    _configuration()
    _accounts()
    _gateways()
    _providers()
    first_payments.create()
    _alerts()
    _routes()
    _audit()
    first_dashboard.create()
    _log()
    _rollups()
    _money()


def _configuration() -> None:
    op.create_table(
        "configuration",
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("compatible", sa.Text, nullable=False),
        sa.Column("installation", sa.Text, nullable=False),
        sa.Column("sweep", sa.Integer, nullable=False, server_default="0"),
        sa.Column("key_check", sa.Text),
    )
    row = f"(1, '{revision}', '{secrets.token_hex(8)}')"
    op.execute(f"INSERT INTO configuration (version, compatible, installation) VALUES {row}")  # noqa: S608  hexadecimal


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("gateways", sa.Text),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("budget", sa.Text),
        sa.Column("rate_limit", sa.Text),
        sa.Column("models", sa.Text),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
    )
    op.create_index("tokens_version", "tokens", ["version"])


def _gateways() -> None:
    op.create_table(
        "gateways",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("deleted_at", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("gateways_version", "gateways", ["version"])
    live = sa.text("deleted_at IS NULL")
    op.create_index("gateways_id", "gateways", ["account", "id"], unique=True, sqlite_where=live, postgresql_where=live)


def _providers() -> None:
    op.create_table(
        "provider_keys",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("gateway", sa.Integer, sa.ForeignKey("gateways.number", ondelete="CASCADE"), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("default_config", sa.SmallInteger, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("secret_id", sa.Text, nullable=False),
        sa.Column("secret_preview", sa.Text, nullable=False),
        sa.Column("rate_limit", sa.BigInteger),
        sa.Column("rate_limit_period", sa.BigInteger),
        sa.Column("generation", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("refused_at", sa.BigInteger),
        sa.Column("refused_status", sa.SmallInteger),
    )
    op.create_index("provider_keys_alias", "provider_keys", ["gateway", "provider", "alias"], unique=True)
    op.create_table(
        "custom_providers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
    )
    op.create_index("custom_providers_slug", "custom_providers", ["account", "slug"], unique=True)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("gateway", sa.Integer, sa.ForeignKey("gateways.number", ondelete="CASCADE")),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
    )
    op.create_index("alerts_account", "alerts", ["account"])
    op.create_table(
        "alert_states",
        sa.Column("alert", sa.Text, sa.ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("since", sa.BigInteger),
        sa.Column("fired_at", sa.BigInteger, nullable=False),
        sa.Column("about", sa.Text, nullable=False),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("alert", sa.Text, sa.ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("error", sa.Text),
        sa.Column("delivered_at", sa.BigInteger),
    )
    op.create_index("alert_deliveries_alert", "alert_deliveries", ["alert", "id"])
    due = sa.text("due_at IS NOT NULL")
    op.create_index("alert_deliveries_due", "alert_deliveries", ["due_at"], sqlite_where=due, postgresql_where=due)


def _routes() -> None:
    op.create_table(
        "routes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("gateway", sa.Integer, sa.ForeignKey("gateways.number", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("deployment", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
    )
    op.create_index("routes_name", "routes", ["gateway", "name"], unique=True)
    op.create_table(
        "route_versions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, sa.ForeignKey("routes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("elements", sa.Text, nullable=False),
        sa.Column("fault", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("route_versions_number", "route_versions", ["route", "number"], unique=True)
    op.create_table(
        "route_deployments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, sa.ForeignKey("routes.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_index("route_deployments_number", "route_deployments", ["route", "number"], unique=True)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("account", "actor", "actor_name", "action", "subject")),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
    )
    op.create_index("audit_account", "audit", ["account", "id"])


def _log() -> None:
    op.create_table(
        "log_names",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", NAME, nullable=False),
        sa.Column("sweep", sa.Integer, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("log_names_name", "log_names", ["name"], unique=True)
    op.create_table(
        "logs",
        sa.Column("gateway", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("block", LONG, nullable=False),
        sa.Column("created_at", LONG, nullable=False),
        sa.Column("duration", LONG, nullable=False),
        sa.Column("latency", LONG),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("provider", "model")),
        *(sa.Column(name, sa.Integer) for name in ("model_type", "request_type")),
        sa.Column("path", sa.Text, nullable=False),
        *(sa.Column(name, sa.SmallInteger, nullable=False) for name in ("status_code", "success", "cached", "step")),
        *(sa.Column(name, LONG) for name in ("tokens_in", "tokens_out", "cost")),
        sa.Column("custom_cost", sa.SmallInteger, nullable=False),
        sa.Column("charge", LONG),
        sa.Column("metadata", sa.Text),
        *(sa.Column(name, sa.Integer) for name in ("request_content_type", "response_content_type")),
        *(sa.Column(name, LONG, nullable=False) for name in ("request_size", "response_size")),
        sa.Column("user_agent", sa.Integer),
        sa.Column("outcome", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Text),
        *(sa.Column(f, sa.SmallInteger, nullable=False) for f in ("authentication", "wholesale", "compatibility_mode")),
        sa.Column("dlp_action", sa.Integer),
        sa.Column("feedback", sa.SmallInteger),
        sa.Column("score", LONG),
        sqlite_with_rowid=False,
    )
    for name, column, known in (("logs_event", "event_id", "event_id"), ("logs_feedback", "id", "feedback")):
        where = sa.text(f"{known} IS NOT NULL")
        op.create_index(name, "logs", ["gateway", column], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "log_metadata",
        sa.Column("gateway", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", NAME, primary_key=True),
        sa.Column("value", NAME, primary_key=True),
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_bodies",
        sa.Column("id", LONG, primary_key=True),
        sa.Column("gateway", sa.Integer, nullable=False),
        sa.Column("ids", sa.LargeBinary, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("bodies", sa.LargeBinary),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        for column in ("details", "bodies"):  # compressed already
            op.execute(f"ALTER TABLE log_bodies ALTER COLUMN {column} SET STORAGE EXTERNAL")
    flags = ("success", "cached", "custom_cost", "authentication", "wholesale", "compatibility_mode")
    words = ("provider", "model", "model_type", "request_type", "request_content_type", "response_content_type")
    words += ("user_agent", "outcome", "dlp_action")
    ranges = ("duration", "latency", "status_code", "step", "tokens_in", "tokens_out", "cost", "feedback", "score")
    op.create_table(
        "log_zones",
        sa.Column("gateway", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.LargeBinary, primary_key=True),
        sa.Column("last", sa.LargeBinary, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("rows", *(f"{flag}_rows" for flag in flags))),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in (*(f"{word}s" for word in words), "metadata_keys")
        ),
        *(
            sa.Column(f"{side}_{name}", sa.BigInteger, nullable=False)
            for name in (*ranges, "total_tokens")
            for side in ("min", "max")
        ),
        *(
            sa.Column(f"{side}_{word}", NAME, nullable=False)
            for word in ("provider", "model", "model_type")
            for side in ("min", "max")
        ),
        sqlite_with_rowid=False,
    )


def _rollups() -> None:
    key = (
        "gateway",
        "span",
        "key",
        "start",
        "value",
        "provider",
        "model",
        "status_code",
        "outcome",
        "success",
        "cached",
    )
    small = ("span", "status_code", "success", "cached")
    sums = ["calls", "unpriced", "tokens_in", "tokens_out", "cache_read", "cost", "charge"]
    sums += ["saved_tokens_in", "saved_tokens_out", "saved_cost"]
    for histogram in ("duration", "latency"):
        sums += [f"{histogram}_sum", *(f"{histogram}_{bucket}" for bucket in range(21))]
    op.create_table(
        "log_rollups",
        *(
            sa.Column(name, sa.SmallInteger if name in small else sa.Integer, primary_key=True, autoincrement=False)
            for name in key
        ),
        *(sa.Column(name, LONG, nullable=False) for name in sums),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_senders",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("position", LONG, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )


def _money() -> None:
    op.create_table(
        "spending_limits",
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("duration", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "log_drafts",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("sender", sa.LargeBinary, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("record", sa.LargeBinary),
    )
    op.create_table(
        "spent",
        sa.Column("owner", NAME, primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ends", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("spent_ends", "spent", ["ends"])
    op.create_table(
        "ledger",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("book", sa.Text, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("note", sa.Text),
        sa.Column("reference", sa.Text),
        sqlite_with_rowid=False,
    )
    where = sa.text("kind <> 'call'")
    op.create_index("ledger_kind", "ledger", ["account", "kind", "id"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "ledger_balances",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("book", sa.Text, primary_key=True),
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
