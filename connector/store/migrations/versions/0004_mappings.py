"""Mappings that can be trusted: plans, versions, rehearsals, drift, files

Revision: 0004
After: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text('clock_timestamp()')
_JSON = postgresql.JSONB(astext_type=sa.Text())


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    _plans()
    _rehearsals()
    _drift()
    _files()
    _language()


def _plans() -> None:
    op.add_column('outbox', sa.Column('restores', _JSON, nullable=True))
    op.create_table('plans',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('documents', _JSON, nullable=False),
    sa.Column('live', _JSON, nullable=False),
    sa.Column('mappings', _JSON, nullable=False),
    sa.Column('state', _choice('planstate', 'growing', 'ready', 'published', 'undone'), nullable=False),
    sa.Column('counts', _JSON, nullable=False),
    sa.Column('calls', sa.Integer(), nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('published_at', _MOMENT, nullable=True),
    sa.Column('published_by', sa.String(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plans')),
    )
    op.create_table('plan_rows',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('plan_id', sa.BigInteger(), nullable=False),
    sa.Column('mapping', sa.String(), nullable=False),
    sa.Column('record_id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('salesforce_id', sa.String(), nullable=True),
    sa.Column('verdict', _choice('verdict', 'create', 'match', 'update', 'unchanged', 'conflict', 'reject', 'wait', 'left_out'), nullable=False),
    sa.Column('fields', _JSON, nullable=False),
    sa.Column('values', _JSON, nullable=False),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('next_step', sa.String(), nullable=True),
    sa.Column('at', _MOMENT, server_default=_NOW, nullable=False),
    sa.ForeignKeyConstraint(['plan_id'], ['plans.id'], name=op.f('fk_plan_rows_plan_id')),
    sa.ForeignKeyConstraint(['record_id'], ['records.id'], name=op.f('fk_plan_rows_record_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan_rows')),
    )
    op.create_index('ix_plan_rows_plan', 'plan_rows', ['plan_id', 'id'])
    op.create_index('ix_plan_rows_record', 'plan_rows', ['record_id'])


def _rehearsals() -> None:
    _published_together()
    op.create_table('rehearsals',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('texts', _JSON, nullable=False),
    sa.Column('author', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('begun_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('until', _MOMENT, nullable=False),
    sa.Column('ended_at', _MOMENT, nullable=True),
    sa.Column('ended_by', sa.String(), nullable=True),
    sa.Column('history_place', sa.BigInteger(), nullable=False),
    sa.Column('attempt_place', sa.BigInteger(), nullable=False),
    sa.Column('seen', sa.Integer(), server_default='0', nullable=False),
    sa.Column('through', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rehearsals')),
    )
    op.create_index('ix_rehearsals_open', 'rehearsals', ['id'], postgresql_where=sa.text('ended_at IS NULL'))
    op.create_table('contrasts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('rehearsal_id', sa.BigInteger(), nullable=False),
    sa.Column('mapping', sa.String(), nullable=False),
    sa.Column('line', sa.String(), nullable=False),
    sa.Column('inbound', sa.Boolean(), nullable=False),
    sa.Column('kind', _choice('contrast', 'differs', 'draft_fails', 'live_fails', 'only_draft', 'only_live'), nullable=False),
    sa.Column('times', sa.Integer(), nullable=False),
    sa.Column('examples', _JSON, nullable=False),
    sa.Column('last_at', _MOMENT, nullable=False),
    sa.ForeignKeyConstraint(['rehearsal_id'], ['rehearsals.id'], name=op.f('fk_contrasts_rehearsal_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contrasts')),
    sa.UniqueConstraint('rehearsal_id', 'mapping', 'line', 'inbound', 'kind', name=op.f('uq_contrasts_rehearsal_id')),
    )


def _published_together() -> None:
    """What was published together has one moment; what is not live any more has an end in the history."""
    op.execute("""
        UPDATE published SET at = (
            SELECT min(other.at) FROM published AS other
            WHERE other.author = published.author AND other.reason = published.reason
            AND other.at BETWEEN published.at - interval '1 second' AND published.at
        )
    """)
    op.execute("""
        INSERT INTO published (path, text, live, author, reason, at)
        SELECT path, '', false, 'connector', 'was taken out of the published folder', clock_timestamp()
        FROM published GROUP BY path HAVING NOT bool_or(live)
    """)


def _drift() -> None:
    op.add_column('cached_schemas', sa.Column('agreed', _JSON, nullable=True))
    op.create_table('drifts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('mapping', sa.String(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('object', sa.String(), nullable=False),
    sa.Column('kind', _choice('drifted', 'object_hidden', 'field_gone', 'type', 'shorter', 'value_gone', 'value_new', 'restricted', 'required', 'not_writable', 'record_type', 'unfit'), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('line', sa.Integer(), nullable=False),
    sa.Column('message', sa.String(), nullable=False),
    sa.Column('effect', sa.String(), nullable=False),
    sa.Column('proposal', sa.String(), nullable=False),
    sa.Column('was', _JSON, nullable=True),
    sa.Column('found_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('acknowledged_at', _MOMENT, nullable=True),
    sa.Column('acknowledged_by', sa.String(), nullable=True),
    sa.Column('closed_at', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_drifts')),
    )
    op.create_index('uq_drifts_open', 'drifts', ['mapping', 'kind', 'subject'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))


def _files() -> None:
    op.create_table(
        'files',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('person_id', sa.Uuid(), nullable=False),
        sa.Column('name', sa.String(), nullable=False),
        sa.Column('content_type', sa.String(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('record_id', sa.Uuid(), nullable=True),
        sa.Column('role', sa.String(), nullable=True),
        sa.Column('place', sa.Integer(), nullable=True),
        sa.Column('created_at', _MOMENT, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ['person_id'], ['people.id'], name=op.f('fk_files_person_id')
        ),
        sa.ForeignKeyConstraint(
            ['record_id'],
            ['records.id'],
            name=op.f('fk_files_record_id'),
            initially='DEFERRED',
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_files')),
    )
    op.create_index('ix_files_person', 'files', ['person_id', 'created_at'])
    op.create_index(
        'ix_files_unused',
        'files',
        ['created_at'],
        postgresql_where=sa.text('record_id IS NULL'),
    )
    op.create_index(
        'ix_files_record',
        'files',
        ['record_id', 'role', 'place'],
        postgresql_where=sa.text('record_id IS NOT NULL'),
    )
    op.create_table(
        'file_contents',
        sa.Column('file_id', sa.Uuid(), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('created_at', _MOMENT, server_default=_NOW, nullable=False),
        sa.ForeignKeyConstraint(
            ['file_id'],
            ['files.id'],
            name=op.f('fk_file_contents_file_id'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('file_id', name=op.f('pk_file_contents')),
    )
    # Pictures do not get smaller by being compressed once more.
    op.execute('ALTER TABLE file_contents ALTER COLUMN content SET STORAGE EXTERNAL')
    op.create_table(
        'filings',
        sa.Column('id', sa.Uuid(), nullable=False),
        sa.Column('pair_id', sa.Uuid(), nullable=False),
        sa.Column('file_id', sa.Uuid(), nullable=False),
        sa.Column('tried_at', _MOMENT, nullable=True),
        sa.Column('version_id', sa.String(), nullable=True),
        sa.Column('document_id', sa.String(), nullable=True),
        sa.Column('filed_at', _MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ['pair_id'], ['pairs.id'], name=op.f('fk_filings_pair_id')
        ),
        sa.ForeignKeyConstraint(
            ['file_id'],
            ['files.id'],
            name=op.f('fk_filings_file_id'),
            ondelete='CASCADE',
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_filings')),
        sa.UniqueConstraint('pair_id', 'file_id', name=op.f('uq_filings_pair_id')),
    )
    op.create_index('ix_filings_file', 'filings', ['file_id'])


def _language() -> None:
    op.create_table('child_rows',
    sa.Column('salesforce_id', sa.String(), nullable=False),
    sa.Column('parent_id', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('salesforce_id', name=op.f('pk_child_rows')),
    )
    op.add_column('pairs', sa.Column('joined', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.drop_index('uq_pairs_row', 'pairs')
    place = ['org_id', 'object', 'salesforce_id']
    op.create_index('uq_pairs_row', 'pairs', place, unique=True, postgresql_where=sa.text("state = 'open' AND NOT adopted AND NOT joined"))
    op.create_index('ix_pairs_erasing', 'pairs', ['record_id'], postgresql_where=sa.text('erasing'))
    op.create_index('uq_pairs_joined_row', 'pairs', [*place, 'mapping'], unique=True, postgresql_where=sa.text("state = 'open' AND joined"))
