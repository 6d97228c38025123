"""Keep accounts of channels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('channel_account',
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('last_webhook_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('needs_administrator', sa.Boolean(), nullable=False),
    sa.Column('problem_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('channel', 'account', name=op.f('pk_channel_account'))
    )
    op.create_table('channel_token',
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('access_token', sa.Text(), nullable=False),
    sa.Column('access_expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('refresh_token', sa.Text(), nullable=False),
    sa.Column('refresh_expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('renewing_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.String(length=64), nullable=True),
    sa.Column('imported', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('channel', 'account', name=op.f('pk_channel_token'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.add_column(sa.Column('kind', sa.String(length=16), server_default='message', nullable=False))
        batch_op.add_column(sa.Column('review_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index('ix_outbox_to_review', ['review_at'], unique=False, sqlite_where=sa.text('review_at IS NOT NULL'), postgresql_where=sa.text('review_at IS NOT NULL'))


def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None, table_kwargs={'sqlite_autoincrement': True}) as batch_op:
        batch_op.drop_index('ix_outbox_to_review', sqlite_where=sa.text('review_at IS NOT NULL'), postgresql_where=sa.text('review_at IS NOT NULL'))
        batch_op.drop_column('review_at')
        batch_op.drop_column('kind')

    op.drop_table('channel_token')
    op.drop_table('channel_account')
