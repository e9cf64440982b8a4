"""Every table, as SQLAlchemy Core sees it (docs/storage.md says why it looks like this).

Importing SQLAlchemy costs a quarter of a second, so what runs at every start (reading the accounts, writing and
tailing the log) has its SQL as text; a test holds that text to these tables, and the migrations too.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    literal_column,
)

from penstock.storage.log.columns import COLUMNS
from penstock.storage.log.measures import COLUMNS as MEASURES
from penstock.storage.log.measures import KEY
from penstock.storage.log.zones import BITS, COUNTS, ENDS, NAMES

metadata = MetaData()

LONG = Integer().with_variant(BigInteger(), "postgresql")  # SQLite's integers are of any length
NAME = Text().with_variant(Text(collation="C"), "postgresql")  # compared byte by byte

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("created_at", BigInteger, nullable=False),  # milliseconds since the epoch
)

configuration = Table(
    "configuration",
    metadata,
    Column("version", BigInteger, nullable=False),  # the one row: raised by every change of a gateway or a token
    Column("compatible", Text, nullable=False),  # what knows this revision may use the database
    Column("installation", Text, nullable=False),  # its name in what it shares with others: Redis
    Column("sweep", Integer, nullable=False, server_default="0"),  # number of the last (storage.log.name_reap)
    Column("key_check", Text),  # a word sealed with the master key; null: no server has started yet
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("hash", LargeBinary, nullable=False, unique=True),  # SHA-256 of the token; the token itself is nowhere
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # a JSON list
    Column("created_at", BigInteger, nullable=False),
    Column("email", Text, nullable=False),
    Column("gateways", Text),  # a JSON list; null: all
    Column("expires_at", BigInteger),
    Column("budget", Text),  # JSON, as of model.token, and so the two below; null: no limit
    Column("rate_limit", Text),
    Column("models", Text),
    Column("revoked_at", BigInteger),
    Column("version", BigInteger, nullable=False),  # of the configuration, at the last change
    Index("tokens_version", "version"),
)

gateways = Table(
    "gateways",
    metadata,
    Column("number", Integer, primary_key=True),  # never given twice: all that a gateway owns is found by it
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("id", Text, nullable=False),
    Column("settings", Text, nullable=False),  # a JSON object as it was sent, secrets sealed
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),  # from then on it is nowhere to be seen; what it owns is reaped
    Column("version", BigInteger, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),  # of its cache: raised to drop all of it
    Index("gateways_version", "version"),
    sqlite_autoincrement=True,
)
Index(
    "gateways_id",
    gateways.c.account,
    gateways.c.id,
    unique=True,
    sqlite_where=gateways.c.deleted_at.is_(None),
    postgresql_where=gateways.c.deleted_at.is_(None),
)

provider_keys = Table(
    "provider_keys",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("gateway", Integer, ForeignKey("gateways.number", ondelete="CASCADE"), nullable=False),
    Column("provider", Text, nullable=False),  # id of a provider; custom-{slug} for one of the account's own
    Column("alias", Text, nullable=False),
    Column("default_config", SmallInteger, nullable=False),
    Column("secret", Text),  # sealed; null: only named in another place
    Column("secret_id", Text, nullable=False),
    Column("secret_preview", Text, nullable=False),
    Column("rate_limit", BigInteger),  # attempts
    Column("rate_limit_period", BigInteger),  # seconds
    Column("generation", Integer, nullable=False, server_default="1"),  # of the secret
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),  # milliseconds since the epoch, as good as known
    Column("refused_at", BigInteger),
    Column("refused_status", SmallInteger),
    Index("provider_keys_alias", "gateway", "provider", "alias", unique=True),
)

custom_providers = Table(
    "custom_providers",
    metadata,
    Column("id", Text, primary_key=True),  # a UUID
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("slug", Text, nullable=False),  # without custom-
    Column("settings", Text, nullable=False),  # a JSON object as it was sent, secrets sealed
    Column("generation", Integer, nullable=False, server_default="1"),  # what was cached under another is not found
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Index("custom_providers_slug", "account", "slug", unique=True),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("gateway", Integer, ForeignKey("gateways.number", ondelete="CASCADE")),  # null: all of the account
    Column("kind", Text, nullable=False),
    Column("settings", Text, nullable=False),  # a JSON object
    Column("secret", Text, nullable=False),  # sealed: what its webhooks are signed with
    Column("due_at", BigInteger),  # when it is evaluated next; null: it is disabled
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Index("alerts_account", "account"),
)

alert_states = Table(  # of what an alert has told since it was made, or enabled
    "alert_states",
    metadata,
    Column("alert", Text, ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, primary_key=True),  # what it is about: the number of a gateway, the id of a stored key
    Column("since", BigInteger),  # when its condition began to hold; null: it does not
    Column("fired_at", BigInteger, nullable=False),  # when that was last told
    Column("about", Text, nullable=False),  # a JSON object: what the subject is
)

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("id", Text, primary_key=True),  # the webhook's id; order of ids is order of time
    Column("alert", Text, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON, each time the same
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger),  # when it is tried next; null: that is over
    Column("attempts", Integer, nullable=False),
    Column("status", SmallInteger),  # of the last answer
    Column("error", Text),  # why the last attempt failed; null: it did not
    Column("delivered_at", BigInteger),
    Index("alert_deliveries_alert", "alert", "id"),
)
Index(
    "alert_deliveries_due",
    alert_deliveries.c.due_at,
    sqlite_where=alert_deliveries.c.due_at.is_not(None),
    postgresql_where=alert_deliveries.c.due_at.is_not(None),
)

routes = Table(
    "routes",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("gateway", Integer, ForeignKey("gateways.number", ondelete="CASCADE"), nullable=False),
    Column("name", Text, nullable=False),  # without dynamic/
    Column("version", Text, nullable=False),  # route_versions: the deployed one; while none is, the newest
    Column("deployment", Text),  # route_deployments: the last; null: there was none
    Column("created_at", BigInteger, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
    Index("routes_name", "gateway", "name", unique=True),
)

route_versions = Table(
    "route_versions",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("route", Text, ForeignKey("routes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, … of its route
    Column("elements", Text, nullable=False),  # a JSON list as it was sent
    Column("fault", Text),  # a JSON object: why it cannot be deployed; null: it can
    Column("created_at", BigInteger, nullable=False),
    Index("route_versions_number", "route", "number", unique=True),
)

route_deployments = Table(
    "route_deployments",
    metadata,
    Column("id", Text, primary_key=True),  # 32 hex
    Column("route", Text, ForeignKey("routes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, … of its route
    Column("version", Text, nullable=False),  # route_versions
    Column("created_at", BigInteger, nullable=False),
    Index("route_deployments_number", "route", "number", unique=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # the 16 bytes of a UUIDv7: order of ids is order of time
    Column("account", Text, nullable=False),
    Column("actor", Text, nullable=False),  # a token's id, or "command line"
    Column("actor_name", Text, nullable=False),
    Column("action", Text, nullable=False),  # gateway.create, token.revoke, …
    Column("subject", Text, nullable=False),  # id of the gateway or the token
    Column("before", Text),  # JSON objects, secrets masked; null: there was nothing
    Column("after", Text),
    Index("audit_account", "account", "id"),
)

log_names = Table(
    "log_names",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", NAME, nullable=False),
    Column("sweep", Integer, nullable=False, server_default="0"),  # during which a roll-up used it
    Index("log_names_name", "name", unique=True),
    sqlite_autoincrement=True,  # no number comes again: a row could use it for the word that it was of
)

_TYPES = {
    "word": Integer,
    "media": Integer,
    "flag": SmallInteger,
    "small": SmallInteger,
    "number": LONG,
    "moment": LONG,
    "text": Text,
    "id": Text,
}

logs = Table(
    "logs",
    metadata,
    Column("gateway", Integer, primary_key=True, autoincrement=False),  # gateways; 0: calls to none that exists
    Column("id", LargeBinary, primary_key=True),  # the 16 bytes of the UUIDv7: order of ids is order of time
    Column("block", LONG, nullable=False),  # log_bodies
    *(Column(column.name, _TYPES[column.kind], nullable=column.null) for column in COLUMNS),
    sqlite_with_rowid=False,
)
for _name, _column, _known in (("logs_event", "event_id", "event_id"), ("logs_feedback", "id", "feedback")):
    _where = logs.c[_known].is_not(None)
    Index(_name, logs.c.gateway, logs.c[_column], sqlite_where=_where, postgresql_where=_where)

# Which rows have a value under a key of their metadata (storage.log.metadata).
log_metadata = Table(
    "log_metadata",
    metadata,
    Column("gateway", Integer, primary_key=True, autoincrement=False),
    Column("key", NAME, primary_key=True),
    Column("value", NAME, primary_key=True),  # a long one: its beginning and a hash
    Column("id", LargeBinary, primary_key=True),  # logs
    sqlite_with_rowid=False,
)

log_bodies = Table(
    "log_bodies",
    metadata,
    Column("id", LONG, primary_key=True),  # in order of arrival
    Column("gateway", Integer, nullable=False),
    Column("ids", LargeBinary, nullable=False),  # 16 bytes a row; its place here is its place in the frames
    Column("details", LargeBinary, nullable=False),  # zstd(MessagePack list of JSON objects)
    Column("bodies", LargeBinary),  # zstd(MessagePack list: request, response, request, …); null: none was kept
    sqlite_autoincrement=True,  # no number comes again: whoever has read up to one has read what is below
)

# What a run of about a thousand rows of one gateway can contain; a query skips the runs that cannot match.
# An empty range is written (NOTHING, -NOTHING), so that min() and max() need no case for null.
log_zones = Table(
    "log_zones",
    metadata,
    Column("gateway", Integer, primary_key=True, autoincrement=False),
    Column("first", LargeBinary, primary_key=True),  # the zone holds the ids from here to the next zone's first
    Column("last", LargeBinary, nullable=False),
    *(Column(name, Integer, nullable=False) for name in COUNTS),
    *(Column(name, BigInteger, nullable=False) for name in BITS),  # bit (name id modulo 63) is set: perhaps here
    *(Column(name, BigInteger, nullable=False) for name in ENDS),
    *(Column(name, NAME, nullable=False) for name in NAMES),
    sqlite_with_rowid=False,
)

# What the calls of a minute, an hour or a day come to (storage.log.measures).
_SMALL = ("span", "status_code", "success", "cached")
log_rollups = Table(
    "log_rollups",
    metadata,
    *(Column(name, SmallInteger if name in _SMALL else Integer, primary_key=True, autoincrement=False) for name in KEY),
    *(Column(name, LONG, nullable=False) for name in MEASURES),
    sqlite_with_rowid=False,
)

# How far each sender's records are written (storage.log.senders).
log_senders = Table(
    "log_senders",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("position", LONG, nullable=False),
    Column("at", BigInteger, nullable=False),  # milliseconds since the epoch
)

# What all calls of an account may cost (storage.spending_limits).
spending_limits = Table(
    "spending_limits",
    metadata,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("amount", BigInteger, nullable=False),  # cents
    Column("duration", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("modified_at", BigInteger, nullable=False),
)

# Records of calls that still run (storage.log.drafts).
log_drafts = Table(
    "log_drafts",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # of the row that it will be
    Column("sender", LargeBinary, nullable=False),  # log_senders
    Column("at", BigInteger, nullable=False),  # when it was written
    Column("record", LargeBinary),  # MessagePack of a LogRecord; null: it was written as the final record
)

# What was spent of each budget (storage.spending).
spent = Table(
    "spent",
    metadata,
    Column("owner", NAME, primary_key=True),  # model.money.Budget
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # of the bucket; milliseconds
    Column("ends", BigInteger, nullable=False),  # when the bucket counts no more; 0: never
    Column("amount", BigInteger, nullable=False),  # nano-dollars
    Index("spent_ends", "ends"),
    sqlite_with_rowid=False,
)

# Money of accounts: lines of entries, to which is only ever added (storage.ledger). No account is deleted.
ledger = Table(
    "ledger",
    metadata,
    Column("account", Text, primary_key=True),
    Column("id", LargeBinary, primary_key=True),  # of the entry: 16 bytes, of a UUIDv7; of a call, its row's
    Column("book", Text, primary_key=True),
    Column("amount", BigInteger, nullable=False),  # nano-dollars; those of an entry come to 0
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("note", Text),
    Column("reference", Text),  # of a call: the number of its gateway
    sqlite_with_rowid=False,
)
Index(
    "ledger_kind",
    ledger.c.account,
    ledger.c.kind,
    ledger.c.id,
    sqlite_where=ledger.c.kind != literal_column("'call'"),
    postgresql_where=ledger.c.kind != literal_column("'call'"),
)
ledger_balances = Table(
    "ledger_balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("book", Text, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),  # of the hour; -1: all of them
    Column("amount", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
