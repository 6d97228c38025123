"""The words of the queue: states, reasons, what is handed over, and what can go wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar


class State(StrEnum):
    """Where a case stands."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


class Reason(StrEnum):
    """Why a person is needed."""

    ASKED_FOR_PERSON = "asked_for_person"
    PERSONAL_RECORD = "personal_record"
    COMPLAINT = "complaint"
    UNCERTAIN_POLICY = "uncertain_policy"
    NOT_UNDERSTOOD = "not_understood"
    TECHNICAL_FAILURE = "technical_failure"
    NEEDS_HUMAN = "needs_human"
    FOREIGN_LANGUAGE = "foreign_language"
    ANSWERED_OUTSIDE_CONSOLE = "answered_outside_console"


class Outcome(StrEnum):
    """How a case ended."""

    ANSWERED = "answered"
    REFERRED = "referred"  # to another body, or to the office in person
    NO_REPLY_NEEDED = "no_reply_needed"
    UNREACHABLE = "unreachable"
    HANDED_BACK = "handed_back"
    MERGED = "merged"


class Role(StrEnum):
    """What an account may do."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Understood:
    """A value the bot found in a message (thực thể): `text` is how the citizen wrote it."""

    name: str  # amount, period, group, …
    value: str
    text: str


@dataclass(frozen=True)
class Escalation:
    """Why the bot hands a question over, and what it understood of it."""

    reason: str
    summary: str
    question: str
    intent: str | None
    confidence: float | None
    topics: tuple[str, ...]
    as_of: date | None
    entities: tuple[Understood, ...] = ()


@dataclass(frozen=True)
class OpenedCase:
    """The case a question went to, and the sentence that tells the citizen so."""

    case_id: int
    number: str
    is_new: bool
    promise: str


@dataclass(frozen=True)
class Reply:
    """What became of an agent's answer: queued under `outbox_id`, or kept as a draft."""

    outbox_id: str | None
    holder: str | None = None  # who has the case instead, when the claim was lost

    @property
    def sent(self) -> bool:
        return self.outbox_id is not None


class CallCentreError(Exception):
    """Something an agent is told in words: `status` for HTTP, `problem` a key of texts.yaml."""

    status: ClassVar[int] = 400
    problem: str

    def __init__(self, **details: object) -> None:
        super().__init__(f"{self.problem}: {details}" if details else self.problem)
        self.details = details


class CaseNotFound(CallCentreError):
    """No such case, or one this agent may not see: the two look the same."""

    status = 404
    problem = "case_not_found"


class CaseAlreadyClaimed(CallCentreError):
    """Somebody else has the case."""

    status = 409
    problem = "case_already_claimed"

    def __init__(self, number: str, holder: str) -> None:
        super().__init__(number=number, holder=holder)
        self.holder = holder


class CaseNotYours(CallCentreError):
    """The action needs the current claim, which this agent does not hold."""

    status = 409
    problem = "case_not_yours"


class CaseClosed(CallCentreError):
    """The case is closed."""

    status = 409
    problem = "case_closed"


class CaseNotClosed(CallCentreError):
    """Only a closed case can be reopened."""

    status = 409
    problem = "case_not_closed"


class AnotherCaseOpen(CallCentreError):
    """The conversation already has an open case."""

    status = 409
    problem = "another_case_open"


class InvalidInput(CallCentreError):
    """A form field is missing or wrong; `problem` says which."""

    status = 422

    def __init__(self, problem: str, **details: object) -> None:
        self.problem = problem
        super().__init__(**details)


class NotAllowed(CallCentreError):
    """The role does not allow this."""

    status = 403
    problem = "not_allowed"


class FormExpired(CallCentreError):
    """The form's CSRF token is missing or not this session's."""

    status = 403
    problem = "form_expired"


class LoginFailed(CallCentreError):
    """User name, password or code is wrong; which one is not told."""

    status = 401
    problem = "login_failed"


class CodeWrong(CallCentreError):
    """The telephone's code is wrong, too old, or was used already."""

    status = 401
    problem = "code_wrong"


class AccountNotFound(CallCentreError):
    """No such account."""

    status = 404
    problem = "account_not_found"


class LoginLocked(CallCentreError):
    """Too many failures: nobody can log in under this name until `until`."""

    status = 429
    problem = "login_locked"

    def __init__(self, until: datetime) -> None:
        super().__init__(until=until)
        self.until = until
