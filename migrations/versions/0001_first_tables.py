"""Create the tables of gateway and call centre."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('conversation',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('citizen_id', sa.String(length=128), nullable=False),
    sa.Column('citizen_name', sa.String(length=200), nullable=True),
    sa.Column('owner', sa.String(length=8), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=True),
    sa.Column('rasa_conversation_id', sa.String(length=32), nullable=False),
    sa.Column('last_citizen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("owner IN ('bot', 'waiting', 'agent')", name=op.f('ck_conversation_owner')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conversation')),
    sa.UniqueConstraint('channel', 'account', 'citizen_id', name=op.f('uq_conversation_channel_account_citizen_id'))
    )
    op.create_table('button',
    sa.Column('token', sa.String(length=16), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('say', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_button_conversation_id')),
    sa.PrimaryKeyConstraint('token', name=op.f('pk_button'))
    )
    with op.batch_alter_table('button', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_button_conversation_id'), ['conversation_id'], unique=False)

    op.create_table('inbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('account', sa.String(length=64), nullable=False),
    sa.Column('message_id', sa.String(length=255), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('platform_time', sa.DateTime(timezone=True), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=True),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'processing', 'done')", name=op.f('ck_inbox_status')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_inbox_conversation_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('channel', 'account', 'message_id', name=op.f('uq_inbox_channel_account_message_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_conversation', ['conversation_id', 'id'], unique=False)
        batch_op.create_index('ix_inbox_open', ['id'], unique=False, sqlite_where=sa.text("status <> 'done'"), postgresql_where=sa.text("status <> 'done'"))
        batch_op.create_index('ix_inbox_open_conversation', ['conversation_id', 'id'], unique=False, sqlite_where=sa.text("status <> 'done'"), postgresql_where=sa.text("status <> 'done'"))

    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('in_reply_to', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('author', sa.String(length=8), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('buttons', sa.JSON(), nullable=False),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('platform_message_id', sa.String(length=255), nullable=True),
    sa.Column('error', sa.Text(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("author IN ('bot', 'agent', 'system')", name=op.f('ck_outbox_author')),
    sa.CheckConstraint("status IN ('queued', 'sending', 'sent', 'delivered', 'seen', 'ambiguous', 'failed')", name=op.f('ck_outbox_status')),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_outbox_conversation_id')),
    sa.ForeignKeyConstraint(['in_reply_to'], ['inbox.id'], name=op.f('fk_outbox_in_reply_to')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_conversation', ['conversation_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_in_reply_to'), ['in_reply_to'], unique=False)
        batch_op.create_index('ix_outbox_platform_message', ['platform_message_id'], unique=False)
        batch_op.create_index('ix_outbox_unsent', ['id'], unique=False, sqlite_where=sa.text("status IN ('queued', 'sending')"), postgresql_where=sa.text("status IN ('queued', 'sending')"))
        batch_op.create_index('ix_outbox_unsent_conversation', ['conversation_id', 'id'], unique=False, sqlite_where=sa.text("status IN ('queued', 'sending')"), postgresql_where=sa.text("status IN ('queued', 'sending')"))

    op.create_table('turn',
    sa.Column('inbox_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('conversation_id', sa.String(length=32), nullable=False),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('topics', sa.JSON(), nullable=False),
    sa.Column('citations', sa.JSON(), nullable=False),
    sa.Column('as_of', sa.Date(), nullable=True),
    sa.Column('intent', sa.String(length=128), nullable=True),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.Column('escalation_reason', sa.String(length=32), nullable=True),
    sa.Column('failure', sa.String(length=64), nullable=True),
    sa.Column('latency_ms', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['conversation_id'], ['conversation.id'], name=op.f('fk_turn_conversation_id')),
    sa.ForeignKeyConstraint(['inbox_id'], ['inbox.id'], name=op.f('fk_turn_inbox_id')),
    sa.PrimaryKeyConstraint('inbox_id', name=op.f('pk_turn'))
    )
    with op.batch_alter_table('turn', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_turn_conversation_id'), ['conversation_id'], unique=False)
        batch_op.create_index('ix_turn_created', ['created_at'], unique=False)

    op.create_table('label',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=50), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_label')),
    sa.UniqueConstraint('name', name=op.f('uq_label_name'))
    )
    op.create_table('login_throttle',
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('last_failure_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('username', name=op.f('pk_login_throttle'))
    )
    op.create_table('team',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_team')),
    sa.UniqueConstraint('name', name=op.f('uq_team_name'))
    )
    op.create_table('agent',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('username', sa.String(length=64), nullable=False),
    sa.Column('display_name', sa.String(length=100), nullable=False),
    sa.Column('role', sa.String(length=16), nullable=False),
    sa.Column('team_id', sa.Integer(), nullable=True),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('must_change_password', sa.Boolean(), nullable=False),
    sa.Column('totp_secret', sa.String(length=255), nullable=True),
    sa.Column('totp_last_step', sa.BigInteger(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_login_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_agent_team_id_team')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_agent')),
    sa.UniqueConstraint('username', name=op.f('uq_agent_username'))
    )
    op.create_table('canned_answer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('title', sa.String(length=100), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('updated_by', sa.String(length=32), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['updated_by'], ['agent.id'], name=op.f('fk_canned_answer_updated_by_agent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_canned_answer')),
    sa.UniqueConstraint('code', name=op.f('uq_canned_answer_code'))
    )
    op.create_table('session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('csrf_token', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('second_factor_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('user_agent', sa.String(length=255), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_session_agent_id_agent')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_session')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_session_token_hash'))
    )
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_session_agent_id'), ['agent_id'], unique=False)

    op.create_table('support_case',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('conversation_id', sa.String(length=64), nullable=False),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('citizen_key', sa.String(length=128), nullable=True),
    sa.Column('citizen_name', sa.String(length=200), nullable=True),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('reason', sa.String(length=32), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('intent', sa.String(length=100), nullable=True),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.Column('topics', sa.JSON(), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=True),
    sa.Column('as_of', sa.Date(), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('window_closes_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('window_warned_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_citizen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('unread', sa.Integer(), nullable=False),
    sa.Column('claimed_by', sa.String(length=32), nullable=True),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('team_id', sa.Integer(), nullable=True),
    sa.Column('first_answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_by', sa.String(length=32), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome', sa.String(length=32), nullable=True),
    sa.Column('merged_into', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('satisfaction_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('satisfaction', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['answered_by'], ['agent.id'], name=op.f('fk_support_case_answered_by_agent')),
    sa.ForeignKeyConstraint(['claimed_by'], ['agent.id'], name=op.f('fk_support_case_claimed_by_agent')),
    sa.ForeignKeyConstraint(['merged_into'], ['support_case.id'], name=op.f('fk_support_case_merged_into_support_case')),
    sa.ForeignKeyConstraint(['team_id'], ['team.id'], name=op.f('fk_support_case_team_id_team')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_support_case'))
    )
    with op.batch_alter_table('support_case', schema=None) as batch_op:
        batch_op.create_index('ix_support_case_citizen', ['channel', 'citizen_key', 'id'], unique=False)
        batch_op.create_index('ix_support_case_closed', ['state', 'closed_at', 'id'], unique=False)
        batch_op.create_index('ix_support_case_conversation', ['conversation_id', 'id'], unique=False)
        batch_op.create_index('ix_support_case_holder', ['claimed_by', 'state', 'due_at', 'id'], unique=False)
        batch_op.create_index('ix_support_case_open', ['due_at', 'id'], unique=False, sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
        batch_op.create_index('ix_support_case_opened', ['opened_at', 'id'], unique=False)
        batch_op.create_index('ix_support_case_state_due', ['state', 'due_at', 'id'], unique=False)
        batch_op.create_index('ix_support_case_team', ['team_id', 'state', 'due_at', 'id'], unique=False)
        batch_op.create_index('uq_support_case_open_conversation', ['conversation_id'], unique=True, sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))

    op.create_table('case_event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=True),
    sa.Column('kind', sa.String(length=32), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_case_event_agent_id_agent')),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_case_event_case_id_support_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_event'))
    )
    with op.batch_alter_table('case_event', schema=None) as batch_op:
        batch_op.create_index('ix_case_event_at', ['at', 'id'], unique=False)
        batch_op.create_index('ix_case_event_case', ['case_id', 'id'], unique=False)

    op.create_table('case_label',
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_case_label_case_id_support_case')),
    sa.ForeignKeyConstraint(['label_id'], ['label.id'], name=op.f('fk_case_label_label_id_label')),
    sa.PrimaryKeyConstraint('case_id', 'label_id', name=op.f('pk_case_label'))
    )
    with op.batch_alter_table('case_label', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_label_label_id'), ['label_id'], unique=False)

    op.create_table('case_text',
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('exact', sa.Text(), nullable=False),
    sa.Column('folded', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_case_text_case_id_support_case')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_case_text'))
    )
    op.create_table('draft',
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lost_claim', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_draft_agent_id_agent')),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_draft_case_id_support_case')),
    sa.PrimaryKeyConstraint('case_id', 'agent_id', name=op.f('pk_draft'))
    )
    op.create_table('note',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_note_agent_id_agent')),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_note_case_id_support_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_note'))
    )
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_note_case_id'), ['case_id'], unique=False)

    op.create_table('scheduled_reply',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('case_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agent_id', sa.String(length=32), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('send_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agent.id'], name=op.f('fk_scheduled_reply_agent_id_agent')),
    sa.ForeignKeyConstraint(['case_id'], ['support_case.id'], name=op.f('fk_scheduled_reply_case_id_support_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_scheduled_reply'))
    )
    with op.batch_alter_table('scheduled_reply', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_scheduled_reply_case_id'), ['case_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_scheduled_reply_send_at'), ['send_at'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('scheduled_reply', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_scheduled_reply_send_at'))
        batch_op.drop_index(batch_op.f('ix_scheduled_reply_case_id'))

    op.drop_table('scheduled_reply')
    with op.batch_alter_table('note', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_note_case_id'))

    op.drop_table('note')
    op.drop_table('draft')
    op.drop_table('case_text')
    with op.batch_alter_table('case_label', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_case_label_label_id'))

    op.drop_table('case_label')
    with op.batch_alter_table('case_event', schema=None) as batch_op:
        batch_op.drop_index('ix_case_event_case')
        batch_op.drop_index('ix_case_event_at')

    op.drop_table('case_event')
    with op.batch_alter_table('support_case', schema=None) as batch_op:
        batch_op.drop_index('uq_support_case_open_conversation', sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
        batch_op.drop_index('ix_support_case_team')
        batch_op.drop_index('ix_support_case_state_due')
        batch_op.drop_index('ix_support_case_opened')
        batch_op.drop_index('ix_support_case_open', sqlite_where=sa.text("state <> 'closed'"), postgresql_where=sa.text("state <> 'closed'"))
        batch_op.drop_index('ix_support_case_holder')
        batch_op.drop_index('ix_support_case_conversation')
        batch_op.drop_index('ix_support_case_closed')
        batch_op.drop_index('ix_support_case_citizen')

    op.drop_table('support_case')
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_session_agent_id'))

    op.drop_table('session')
    op.drop_table('canned_answer')
    op.drop_table('agent')
    op.drop_table('team')
    op.drop_table('login_throttle')
    op.drop_table('label')
    with op.batch_alter_table('turn', schema=None) as batch_op:
        batch_op.drop_index('ix_turn_created')
        batch_op.drop_index(batch_op.f('ix_turn_conversation_id'))

    op.drop_table('turn')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_unsent_conversation', sqlite_where=sa.text("status IN ('queued', 'sending')"), postgresql_where=sa.text("status IN ('queued', 'sending')"))
        batch_op.drop_index('ix_outbox_unsent', sqlite_where=sa.text("status IN ('queued', 'sending')"), postgresql_where=sa.text("status IN ('queued', 'sending')"))
        batch_op.drop_index('ix_outbox_platform_message')
        batch_op.drop_index(batch_op.f('ix_outbox_in_reply_to'))
        batch_op.drop_index('ix_outbox_conversation')

    op.drop_table('outbox')
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index('ix_inbox_open_conversation', sqlite_where=sa.text("status <> 'done'"), postgresql_where=sa.text("status <> 'done'"))
        batch_op.drop_index('ix_inbox_open', sqlite_where=sa.text("status <> 'done'"), postgresql_where=sa.text("status <> 'done'"))
        batch_op.drop_index('ix_inbox_conversation')

    op.drop_table('inbox')
    with op.batch_alter_table('button', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_button_conversation_id'))

    op.drop_table('button')
    op.drop_table('conversation')
