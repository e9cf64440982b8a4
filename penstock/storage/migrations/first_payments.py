"""The part of the first migration that payments need."""

import sqlalchemy as sa
from alembic import op

LONG = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def create() -> None:
    _payments()
    _invoices()


def _payments() -> None:
    op.create_table(
        "payers",
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("means", sa.Text, nullable=False),
        sa.Column("brand", sa.Text),
        sa.Column("last4", sa.Text),
        sa.Column("amount", sa.BigInteger),
        sa.Column("threshold", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("failed_at", sa.BigInteger),
        sa.Column("disabled", sa.Text),
        sa.Column("due_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "topups",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("means", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("intent", sa.Text, unique=True),
        sa.Column("paid", sa.BigInteger, nullable=False),
        sa.Column("refunded", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.SmallInteger, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("modified_at", sa.BigInteger, nullable=False),
        sa.Column("invoice", sa.Text),
        sa.Column("invoice_url", sa.Text),
        sa.Column("invoice_pdf", sa.Text),
        sa.Column("invoice_tries", sa.Integer, nullable=False),
        sa.Column("invoice_due", sa.BigInteger),
    )
    op.create_index("topups_account", "topups", ["account", "id"])
    op.create_index("topups_state", "topups", ["account", "state", "origin"])
    op.create_index("topups_invoice_due", "topups", ["invoice_due"])


def _invoices() -> None:
    key = ("account", "month", "provider", "model")
    sums = ("calls", "tokens_in", "tokens_out", "amount")
    op.create_table(
        "charged_usage",
        *(
            sa.Column(name, sa.Integer if name == "month" else sa.Text, primary_key=True, autoincrement=False)
            for name in key
        ),
        *(sa.Column(name, LONG, nullable=False) for name in sums),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, sa.ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
        sa.Column("month", sa.Integer, nullable=False),
        sa.Column("number", sa.Text, nullable=False, unique=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("net", sa.BigInteger, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("tax_name", sa.Text, nullable=False),
        sa.Column("tax_percent", sa.Text, nullable=False),
        sa.Column("credits", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        sa.Column("closed_by", sa.Text, nullable=False),
    )
    op.create_index("invoices_month", "invoices", ["account", "month"], unique=True)
    op.create_table(
        "invoice_lines",
        sa.Column("invoice", sa.Text, sa.ForeignKey("invoices.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        *(sa.Column(name, LONG, nullable=False) for name in sums),
        sa.Column("cents", sa.BigInteger, nullable=False),
    )
