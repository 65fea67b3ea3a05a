"""Proof: fair turns, conflicts, alerts, retention, erasure

Revision: 0003
After: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text('clock_timestamp()')
_JSON = postgresql.JSONB(astext_type=sa.Text())


def _choice(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=16)


def upgrade() -> None:
    op.add_column('received', sa.Column('turn', _MOMENT, server_default=_NOW, nullable=False))
    op.add_column('received', sa.Column('original', _JSON, nullable=True))
    op.add_column('received', sa.Column('edited_by', sa.String(), nullable=True))
    op.drop_index('ix_received_ready', 'received')
    op.create_index('ix_received_ready', 'received', ['lane', 'turn', 'id'], postgresql_where=sa.text("state = 'ready'"))
    op.create_index('ix_received_at', 'received', ['received_at'], postgresql_using='brin')
    op.create_table('tallies',
    sa.Column('hour', _MOMENT, nullable=False),
    sa.Column('source', _choice('tally_source', 'line', 'form', 'salesforce', 'operator'), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('ledger', _choice('tally_ledger', 'in_flight', 'dead', 'parked', 'written', 'notified', 'unchanged', 'ignored'), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('hour', 'source', 'kind', 'ledger', name=op.f('pk_tallies')),
    )
    op.add_column('pairs', sa.Column('looks', _JSON, nullable=True))
    op.add_column('pairs', sa.Column('doubts', _JSON, nullable=True))
    op.add_column('pairs', sa.Column('flips', _JSON, nullable=True))
    op.add_column('pairs', sa.Column('erasing', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('conflicts', sa.Column('told', _JSON, nullable=True))
    op.add_column('conflicts', sa.Column('decision', _JSON, nullable=True))
    op.create_index('ix_attempts_at', 'attempts', ['at'], postgresql_using='brin')
    op.add_column('envelopes', sa.Column('next_step', sa.String(), nullable=True))
    op.create_index('ix_envelopes_token', 'envelopes', ['token_id'], postgresql_where=sa.text('token_id IS NOT NULL'))
    op.create_index('ix_envelopes_at', 'envelopes', ['created_at'], postgresql_using='brin')
    op.drop_constraint('fk_history_received_id', 'history', type_='foreignkey')
    op.add_column('history', sa.Column('author', sa.String(), nullable=True))
    op.create_index('ix_history_at', 'history', ['at'], postgresql_using='brin')
    op.add_column('people', sa.Column('erased_at', _MOMENT, nullable=True))
    op.create_table('tombstones',
    sa.Column('hash', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('erased_at', _MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('hash', name=op.f('pk_tombstones')),
    )
    op.add_column('received', sa.Column('address_hash', sa.String(), nullable=True))
    op.create_index('ix_received_forms', 'received', ['person_id', 'received_at'], postgresql_where=sa.text("source = 'form'"))
    op.create_index('ix_received_address', 'received', ['address_hash', 'received_at'], postgresql_where=sa.text('address_hash IS NOT NULL'))
    op.add_column('code_tries', sa.Column('address_hash', sa.String(), nullable=True))
    op.create_index('ix_code_tries_address', 'code_tries', ['address_hash', 'at'])
    op.create_index('ix_code_tries_at', 'code_tries', ['at'])
    op.create_index('ix_bindings_person', 'bindings', ['person_id', 'bound_at'])
    op.create_index('ix_records_contact_phone', 'records', [sa.text("(values ->> 'contact_phone')"), 'created_at'], postgresql_where=sa.text("kind = 'repair_request'"))
    op.create_table('prunings',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('place', sa.String(), nullable=True),
    sa.Column('due', _MOMENT, nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_prunings')),
    )
    op.create_table('alerts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('message', sa.String(), nullable=False),
    sa.Column('next_step', sa.String(), nullable=False),
    sa.Column('times', sa.Integer(), server_default='1', nullable=False),
    sa.Column('opened_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('last_at', _MOMENT, server_default=_NOW, nullable=False),
    sa.Column('closed_at', _MOMENT, nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts')),
    )
    op.create_index('uq_alerts_open', 'alerts', ['kind', 'subject'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))
