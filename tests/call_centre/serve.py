"""Serves the console with the fake gateway and a day's cases, for browser tests and screenshots."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from aiohttp.test_utils import TestServer

from call_centre import repository
from call_centre.model import Escalation, Reason, Understood
from call_centre.services import CaseService
from call_centre.web.app import create_console
from knowledge_base.office import Office

from .conftest import Sessions
from .fakes import FakeGateway

DAY = (
    (
        Reason.PERSONAL_RECORD,
        "sổ của tôi đóng từ 2015 mà lên VssID ko thấy, mã số 7912345678, giờ muốn đóng tiếp mức 5tr nửa năm",
        "lookup.contribution_history",
    ),
    (
        Reason.COMPLAINT,
        "Nộp hồ sơ thai sản hơn 1 tháng rồi chưa thấy tiền, gọi thì không ai nghe máy!",
        "maternity.payment_time",
    ),
    (Reason.ASKED_FOR_PERSON, "cho e gặp nhân viên tư vấn với ạ", None),
    (
        Reason.UNCERTAIN_POLICY,
        "sinh đôi lần 2 thì được mấy trăm nghìn hỗ trợ thêm ạ",
        "maternity.second_child",
    ),
    (Reason.NOT_UNDERSTOOD, "e muon hoi ve cai the mau xanh cua ma e", None),
    (Reason.TECHNICAL_FAILURE, "bhyt hộ gia đình 5 người hết bao nhiêu", "health.household_premium"),
)

UNDERSTOOD = {
    1: (
        Understood("date", "2015-01-01", "2015"),
        Understood("amount", "5000000", "5tr"),
        Understood("period", "6", "nửa năm"),
    ),
    6: (Understood("members", "5", "5 người"),),
}


@dataclass
class Console:
    """A console that runs, and what stands behind it."""

    url: str
    service: CaseService
    gateway: FakeGateway
    sessions: Sessions


async def fill(sessions: Sessions, service: CaseService, gateway: FakeGateway) -> None:
    """A morning's cases."""
    for number, (reason, question, topic) in enumerate(DAY, 1):
        talk = f"talk-{number}"
        gateway.channels[talk] = ("messenger", "zalo", "web_chat")[number % 3]
        gateway.citizens[talk] = f"citizen-{number}"
        gateway.say(talk, "citizen", "chào shop")
        gateway.say(talk, "bot", "Dạ em chào anh/chị! Em là trợ lý của BHXH tỉnh Hoa Sen, em giúp gì được ạ?")
        gateway.say(talk, "citizen", question)
        async with sessions.begin() as session:
            opened = await service.open_case(
                session,
                talk,
                gateway.channels[talk],
                Escalation(
                    reason=reason,
                    summary="Trợ lý đã chào và chưa trả lời được câu hỏi này.",
                    question=question,
                    intent=f"ask_topic/{topic}" if topic else None,
                    confidence=0.41 if topic else None,
                    topics=(topic,) if topic else (),
                    as_of=None,
                    entities=UNDERSTOOD.get(number, ()),
                ),
            )
        gateway.say(talk, "bot", opened.promise)


async def add_canned(console: Console) -> None:
    """One canned answer."""
    async with console.sessions.begin() as session:
        await repository.save_canned_answer(
            session,
            "chao",
            title="Chào hỏi",
            text="Dạ em là {nhan_vien}, em nghe ạ.",
            active=True,
            updated_by=None,
            updated_at=console.service.clock(),
        )


@asynccontextmanager
async def running(
    sessions: Sessions, service: CaseService, gateway: FakeGateway, office: Office
) -> AsyncIterator[Console]:
    """The console mounted as the gateway mounts it."""
    app = web.Application()
    app.add_subapp("/console", create_console(service, sessions, office, "browser test key"))
    server = TestServer(app)
    await server.start_server()
    try:
        yield Console(str(server.make_url("/console")), service, gateway, sessions)
    finally:
        await server.close()
