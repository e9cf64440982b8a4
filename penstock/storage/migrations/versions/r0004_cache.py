"""What a gateway has cached is dropped by counting on; several installations may share a Redis."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
step = "before"


def upgrade() -> None:
    op.add_column("gateways", sa.Column("generation", sa.Integer, nullable=False, server_default="0"))
    op.add_column("configuration", sa.Column("installation", sa.Text, nullable=False, server_default=""))
    op.execute(f"UPDATE configuration SET installation = '{secrets.token_hex(8)}'")  # noqa: S608  hexadecimal
