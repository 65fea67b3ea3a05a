"""Rows that are being let go of are found without reading every pair

Revision: 0005
After: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_pairs_releasing', 'pairs', ['key'], postgresql_where=sa.text("state = 'releasing'"))
