"""Search cases by an index, keep what the bot understood, and codes for a lost telephone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# Not taken from the tables of today: a revision says what it did on its day.
SEARCH_INDEX = {
    'sqlite': (
        'CREATE VIRTUAL TABLE case_search USING fts5'
        '(exact, folded, tokenize = "unicode61 remove_diacritics 0")',
        'INSERT INTO case_search (rowid, exact, folded) SELECT case_id, exact, folded FROM case_text',
    ),
    'postgresql': (
        'CREATE TABLE case_search (case_id BIGINT PRIMARY KEY REFERENCES support_case (id) ON DELETE CASCADE,'
        ' exact TSVECTOR NOT NULL, folded TSVECTOR NOT NULL)',
        "INSERT INTO case_search SELECT case_id,"
        " to_tsvector('simple', regexp_replace(exact, '[^[:alnum:]]+', ' ', 'g')),"
        " to_tsvector('simple', regexp_replace(folded, '[^[:alnum:]]+', ' ', 'g')) FROM case_text",
        'CREATE INDEX ix_case_search_exact ON case_search USING gin (exact)',
        'CREATE INDEX ix_case_search_folded ON case_search USING gin (folded)',
    ),
}


def upgrade() -> None:
    for statement in SEARCH_INDEX[op.get_bind().dialect.name]:
        op.execute(statement)
    op.drop_table('case_text')
    op.create_table('recovery_code',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('code_hash', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_recovery_code_agent_id_agent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code'))
    )
    op.create_index(op.f('ix_recovery_code_agent_id'), 'recovery_code', ['agent_id'])
    op.add_column('support_case', sa.Column('entities', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('support_case', 'entities')
    op.drop_table('recovery_code')
    # The words are found again as each case is written to; the index cannot give them back.
    op.drop_table('case_search')
    op.create_table('case_text',
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('exact', sa.Text(), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_case_text_case_id_support_case')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_case_text'))
    )
