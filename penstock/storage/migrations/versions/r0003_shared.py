"""What may still use the database, and by which key its secrets were sealed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
step = "before"


def upgrade() -> None:
    op.add_column("configuration", sa.Column("compatible", sa.Text, nullable=False, server_default="0003"))
    op.add_column("configuration", sa.Column("key_check", sa.Text))
