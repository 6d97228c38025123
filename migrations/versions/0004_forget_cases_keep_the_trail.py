"""Let cases be deleted: the audit trail outlives them, and their numbers are not given out again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

MERGED_INTO = 'ix_support_case_merged_into'
HOLDER = 'ix_support_case_holder'
OF_HOLDER = ['claimed_by', 'state', 'due_at', 'id']
HELD = sa.text('claimed_by IS NOT NULL')
CASE_OF_EVENT = 'fk_case_event_case_id_support_case'
NUMBERED_ONCE = {'sqlite_autoincrement': True}  # SQLite makes the table anew for it


def upgrade() -> None:
    with op.batch_alter_table('case_event', table_kwargs=NUMBERED_ONCE) as batch_op:
        batch_op.drop_constraint(CASE_OF_EVENT, type_='foreignkey')
    always = 'always' if op.get_bind().dialect.name == 'sqlite' else 'never'
    with op.batch_alter_table('support_case', recreate=always, table_kwargs=NUMBERED_ONCE) as batch_op:
        batch_op.create_index(MERGED_INTO, ['merged_into'])
        batch_op.drop_index(HOLDER)
        batch_op.create_index(HOLDER, OF_HOLDER, sqlite_where=HELD, postgresql_where=HELD)


def downgrade() -> None:
    always = 'always' if op.get_bind().dialect.name == 'sqlite' else 'never'
    with op.batch_alter_table('support_case', recreate=always) as batch_op:
        batch_op.drop_index(MERGED_INTO)
        batch_op.drop_index(HOLDER)
        batch_op.create_index(HOLDER, OF_HOLDER)
    # What was recorded of cases deleted since then concerns, from here on, no case.
    op.execute('UPDATE case_event SET case_id = NULL WHERE case_id NOT IN (SELECT id FROM support_case)')
    with op.batch_alter_table('case_event') as batch_op:
        batch_op.create_foreign_key(CASE_OF_EVENT, 'support_case', ['case_id'], ['id'])
