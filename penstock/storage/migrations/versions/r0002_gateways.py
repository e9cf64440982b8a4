"""Gateways, their tokens' limits, the audit trail; the log belongs to a gateway's number."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
step = "before"

_LOG = ("logs", "log_bodies", "log_zones")
_SETTINGS = (
    '{"authentication":true,"cache_invalidate_on_update":false,"cache_ttl":0,"collect_logs":true,'
    '"rate_limiting_interval":0,"rate_limiting_limit":0}'
)


def upgrade() -> None:
    _configuration()
    _tokens()
    _gateways()
    _audit()
    _own_the_log()


def _configuration() -> None:
    op.create_table("configuration", sa.Column("version", sa.BigInteger, nullable=False))
    op.execute("INSERT INTO configuration (version) VALUES (1)")


def _tokens() -> None:
    for column in (
        sa.Column("email", sa.Text, nullable=False, server_default=""),
        sa.Column("gateways", sa.Text),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    ):
        op.add_column("tokens", column)
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
        sqlite_autoincrement=True,
    )
    op.create_index("gateways_version", "gateways", ["version"])
    live = sa.text("deleted_at IS NULL")
    op.create_index("gateways_id", "gateways", ["account", "id"], unique=True, sqlite_where=live, postgresql_where=live)


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("account", "actor", "actor_name", "action", "subject")),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
    )
    op.create_index("audit_account", "audit", ["account", "id"])


def _own_the_log() -> None:
    """Gateways that have a log keep its number; calls to addresses that were none belong to number 0."""
    op.execute(
        sa.text(
            "INSERT INTO gateways (number, account, id, settings, created_at, modified_at, version) "
            "SELECT g.id, g.account, g.gateway, :settings, a.created_at, a.created_at, 1 "
            "FROM log_gateways g JOIN accounts a ON a.id = g.account"
        ).bindparams(settings=_SETTINGS)
    )
    for table in _LOG:
        op.execute(f"UPDATE {table} SET gateway = 0 WHERE gateway NOT IN (SELECT number FROM gateways)")  # noqa: S608
    op.drop_table("log_gateways")
