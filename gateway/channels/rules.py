"""What each platform allows: how long a message may be, and until when a citizen may be written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.tables import Conversation, OutboxAuthor

MESSENGER = "messenger"
FACEBOOK_COMMENT = "facebook_comment"
ZALO = "zalo"


@dataclass(frozen=True)
class Rules:
    """Windows count from the citizen's last message (for a comment, from the comment)."""

    longest_text: int  # characters
    bot_window: timedelta
    agent_window: timedelta


# Messenger: 24 hours, then the HUMAN_AGENT tag for people only. Zalo: free for 48 hours, paid for 7 days.
RULES = {
    MESSENGER: Rules(2_000, timedelta(hours=24), timedelta(days=7)),
    FACEBOOK_COMMENT: Rules(2_000, timedelta(days=7), timedelta(days=7)),
    ZALO: Rules(2_000, timedelta(hours=48), timedelta(days=7)),
}


def window_closes_at(conversation: Conversation, author: OutboxAuthor = "agent") -> datetime | None:
    """When the channel stops accepting a message of this author; None where it always does."""
    rules = RULES.get(conversation.channel)
    if rules is None:
        return None
    window = rules.agent_window if author == "agent" else rules.bot_window
    return conversation.last_citizen_at + window
