"""Comments under the page's posts: one private reply each, a short public pointer, hiding of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import repository
from gateway.channels.graph import Graph, message_body
from gateway.channels.messenger_events import Commented
from gateway.channels.rules import FACEBOOK_COMMENT, RULES
from gateway.channels.splitting import split_text
from gateway.database import Database
from gateway.inbox import Incoming
from gateway.outbox import MaybeSent, NotSent, Rejected, StoredOutbox
from gateway.rasa_client import Answer, Reply
from gateway.tables import Conversation, InboxMessage, OutboxMessage
from gateway.texts import Texts
from vietnamese.masking import find_personal_numbers

WORTH_A_REPLY = frozenset({"answered", "asked"})


@dataclass(frozen=True)
class CommentPolicy:
    """What is done in public under a comment."""

    hide_personal: bool = False
    point_to_reply: bool = True


def comment_message(event: Commented, page_id: str) -> Incoming | None:
    """A comment as a conversation of its own, since it gets one private reply of its own.

    An edited comment was answered when it was new; it is only looked at for personal numbers.
    """
    if event.edited and not find_personal_numbers(event.text):
        return None
    return Incoming(
        channel=FACEBOOK_COMMENT,
        account=page_id,
        citizen_id=f"{event.citizen_id[:60]}/{event.comment_id[:60]}",
        message_id=f"{event.comment_id}:edited" if event.edited else event.comment_id,
        text=event.text,
        kind="note" if event.edited else "text",
        platform_time=event.at,
        citizen_name=event.name,
    )


def shows_personal_numbers(message: InboxMessage) -> bool:
    """Whether everybody can read a personal number in this message."""
    return message.channel == FACEBOOK_COMMENT and bool(find_personal_numbers(message.text))


async def answer_comment(
    session: AsyncSession,
    outbox: StoredOutbox,
    texts: Texts,
    policy: CommentPolicy,
    *,
    conversation: Conversation,
    message: InboxMessage,
    answer: Answer,
) -> None:
    """Queue what a comment gets: an answer in one private reply and a pointer to it, or word of a person.

    Greetings and what the bot declines get nothing: a page that writes to everybody is a nuisance. Where a
    person will answer, the one private reply is kept for that answer.
    """
    if answer.turn.escalate is not None:
        await outbox.enqueue_public(
            session, conversation, "public_reply", texts["comment_to_person"], message.id
        )
        return
    if answer.turn.outcome not in WORTH_A_REPLY:
        return
    longest = RULES[FACEBOOK_COMMENT].longest_text - len(texts["comment_more"]) - 2
    first, *more = split_text("\n\n".join(reply.text for reply in answer.replies), longest)
    text = f"{first}\n\n{texts['comment_more']}" if more else first
    buttons = answer.replies[-1].buttons
    await outbox.enqueue_replies(session, conversation, message.id, [Reply(text, buttons)])
    if policy.point_to_reply:
        await outbox.enqueue_public(
            session, conversation, "public_reply", texts["comment_pointer"], message.id
        )


class Comments:
    """Sends to commenters; shares the page's connections."""

    def __init__(self, database: Database, texts: Texts, graph: Graph) -> None:
        self._database = database
        self._texts = texts
        self._graph = graph

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        """Raises NotSent, Held, MaybeSent, Rejected."""
        comment_id = conversation.citizen_id.partition("/")[2]
        if message.kind == "hide_comment":
            try:
                await self._graph.post(comment_id, {"is_hidden": True})
            except MaybeSent as error:
                raise NotSent from error  # hiding twice hides once
            return None
        if message.kind == "public_reply":
            return await self._reply_in_public(comment_id, message)
        return await self._reply_in_private(conversation, comment_id, message)

    async def _reply_in_public(self, comment_id: str, message: OutboxMessage) -> str | None:
        async with self._database.readers() as session:
            if await repository.reply_failed(session, message):
                raise Rejected(self._texts["comment_pointer_moot"])
        answer = await self._graph.post(f"{comment_id}/comments", {"message": message.text})
        return _string(answer.get("id"))

    async def _reply_in_private(
        self, conversation: Conversation, comment_id: str, message: OutboxMessage
    ) -> str | None:
        if message.author == "system":
            raise Rejected(self._texts["comment_no_notes"])
        async with self._database.readers() as session:
            if await repository.was_written_to(session, message):
                raise Rejected(self._texts["comment_answered"])
        body = {
            "messaging_type": "RESPONSE",
            "recipient": {"comment_id": comment_id},
            "message": message_body(message),
        }
        answer = await self._graph.post(f"{conversation.account}/messages", body)
        return _string(answer.get("message_id"))


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None
