"""What accounts pay, by which means, and what they are billed. Amounts are cents where nothing else is said."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text

from penstock.storage.tables import LONG, metadata

payers = Table(
    "payers",
    metadata,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("customer", Text, nullable=False),  # what the method of payment calls the account; empty: nothing yet
    Column("means", Text, nullable=False),  # id of what pays by itself; empty: nothing does
    Column("brand", Text),
    Column("last4", Text),
    Column("amount", BigInteger),  # of an automatic top-up; null: there is none
    Column("threshold", BigInteger),  # of the balance, below which there is one
    Column("failures", Integer, nullable=False),  # in a row
    Column("error", Text),  # of the last try
    Column("failed_at", BigInteger),
    Column("disabled", Text),  # why there are no more tries; null: there are
    Column("due_at", BigInteger, nullable=False),  # not before: milliseconds since the epoch
)

topups = Table(
    "topups",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # 16 bytes of a UUIDv7; of the ledger's entry, too
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("method", Text, nullable=False),  # of payment
    Column("origin", Text, nullable=False),  # manual, or auto
    Column("amount", BigInteger, nullable=False),
    Column("means", Text, nullable=False),
    Column("state", Text, nullable=False),  # pending, completed, failed, canceled
    Column("reason", Text),  # why it is not completed
    Column("intent", Text, unique=True),  # what the method calls it; null: it has not answered yet
    Column("paid", BigInteger, nullable=False),
    Column("refunded", BigInteger, nullable=False),  # in all
    Column("answered", SmallInteger, nullable=False),  # whoever asked for it was told of it
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("invoice", Text),  # what the method calls its invoice; null: there is none
    Column("invoice_url", Text),
    Column("invoice_pdf", Text),
    Column("invoice_tries", Integer, nullable=False),  # to make the invoice
    Column("invoice_due", BigInteger),  # when the next try is due; null: none is
    Index("topups_account", "account", "id"),
    Index("topups_state", "account", "state", "origin"),
    Index("topups_invoice_due", "invoice_due"),
)

charged_usage = Table(  # sums of what was charged, kept with the ledger: what invoices are made of
    "charged_usage",
    metadata,
    Column("account", Text, primary_key=True),
    Column("month", Integer, primary_key=True, autoincrement=False),  # of the calls: 12 for each year, and 0 to 11
    Column("provider", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("calls", LONG, nullable=False),
    Column("tokens_in", LONG, nullable=False),
    Column("tokens_out", LONG, nullable=False),
    Column("amount", LONG, nullable=False),  # nano-dollars
    sqlite_with_rowid=False,
)

invoices = Table(
    "invoices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("month", Integer, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    Column("issuer", Text, nullable=False),
    Column("net", BigInteger, nullable=False),
    Column("tax", BigInteger, nullable=False),
    Column("tax_name", Text, nullable=False),
    Column("tax_percent", Text, nullable=False),
    Column("credits", BigInteger, nullable=False),  # of net and tax, what credit had paid when the month ended
    Column("closed_at", BigInteger, nullable=False),
    Column("closed_by", Text, nullable=False),
    Index("invoices_month", "account", "month", unique=True),
)

invoice_lines = Table(
    "invoice_lines",
    metadata,
    Column("invoice", Text, ForeignKey("invoices.id", ondelete="CASCADE"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("calls", LONG, nullable=False),
    Column("tokens_in", LONG, nullable=False),
    Column("tokens_out", LONG, nullable=False),
    Column("amount", LONG, nullable=False),  # nano-dollars, exactly
    Column("cents", BigInteger, nullable=False),  # of the invoice's net
)
