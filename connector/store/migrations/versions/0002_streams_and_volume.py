"""Streams and volume

Revision: 0002
After: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text('clock_timestamp()')


def upgrade() -> None:
    op.create_table('bulk_jobs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('org_id', sa.String(), nullable=False),
    sa.Column('job_id', sa.String(), nullable=False),
    sa.Column('object', sa.String(), nullable=False),
    sa.Column('operation', sa.String(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('opened_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('closed_at', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_jobs')),
    sa.UniqueConstraint('org_id', 'job_id', name=op.f('uq_bulk_jobs_org_id')),
    )
    op.create_index('ix_bulk_jobs_open', 'bulk_jobs', ['id'], postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table('holes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('stream', sa.String(), nullable=False),
    sa.Column('objects', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('since', _MOMENT, nullable=False),
    sa.Column('until', _MOMENT, nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('found_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('closed_at', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_holes')),
    )
    op.create_index('ix_holes_open', 'holes', ['stream'], postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table('runs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('wanted', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('place', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('done', sa.Integer(), server_default='0', nullable=False),
    sa.Column('total', sa.Integer(), nullable=True),
    sa.Column('counts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('started_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('updated_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('finished_at', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_runs')),
    )
    op.create_index('uq_runs_open', 'runs', ['kind', 'subject'], unique=True, postgresql_where=sa.text('finished_at IS NULL'))
    op.add_column('orgs', sa.Column('events_used', sa.Integer(), nullable=True))
    op.add_column('orgs', sa.Column('events_limit', sa.Integer(), nullable=True))
    op.add_column('orgs', sa.Column('events_told_at', _MOMENT, nullable=True))
    op.add_column('orgs', sa.Column('recovered_at', _MOMENT, nullable=True))
    cause = sa.Enum('live', 'first_meeting', 'backfill', 'publish', 'reconcile', 'restore', name='cause', native_enum=False, create_constraint=True, length=16)
    op.add_column('received', sa.Column('cause', cause, server_default='live', nullable=False))
    op.add_column('streams', sa.Column('carried_by', sa.String(), nullable=True))
    op.add_column('streams', sa.Column('position', sa.LargeBinary(), nullable=True))
    op.add_column('streams', sa.Column('newest', sa.LargeBinary(), nullable=True))
    op.add_column('streams', sa.Column('heard_at', _MOMENT, nullable=True))
    op.add_column('streams', sa.Column('live_since', _MOMENT, nullable=True))
    op.add_column('streams', sa.Column('delivered', sa.Integer(), server_default='0', nullable=False))
    op.add_column('streams', sa.Column('reason', sa.String(), nullable=True))
    op.add_column('pairs', sa.Column('seen_at', _MOMENT, nullable=True))
    op.add_column('pairs', sa.Column('bulk_job_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_pairs_bulk_job_id'), 'pairs', 'bulk_jobs', ['bulk_job_id'], ['id'])
    op.create_index('ix_pairs_bulk_job', 'pairs', ['bulk_job_id'], postgresql_where=sa.text('bulk_job_id IS NOT NULL'))
