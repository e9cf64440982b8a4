"""What the dashboard keeps: who is signed in, and views of the log by name. Times are milliseconds since the epoch."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from penstock.storage.tables import metadata

dashboard_sessions = Table(
    "dashboard_sessions",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex; known to the browser alone, in a sealed cookie
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("token", Text, nullable=False),  # id of the token that signed in
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # signed out; the row stays until it expires, so that no id counts twice
    Index("dashboard_sessions_expires_at", "expires_at"),
    Index("dashboard_sessions_token", "account", "token"),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("page", Text, nullable=False),  # of the dashboard
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),  # of the page's address
    Column("created_by", Text, nullable=False),  # name of the token
    Column("created_at", BigInteger, nullable=False),
    Index("saved_views_account", "account", "page"),
)
