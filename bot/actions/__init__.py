"""The action server: every path ends here, with a text for the citizen and a `turn` for the gateway."""

from bot.actions.conversation import ActionSmallTalk
from bot.actions.decline import ActionDecline
from bot.actions.escalate import ActionEscalate
from bot.actions.topic import ActionAnswerTopic

__all__ = ["ActionAnswerTopic", "ActionDecline", "ActionEscalate", "ActionSmallTalk"]
