"""What is asked for at the same time is done together, and fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError

from gateway.gathering import Gathering
from gateway.signals import Signals
from gateway.tables import Conversation
from tests.gateway.fakes import PATIENCE_SECONDS, Gateway


class Work:
    """Doubles numbers, lot by lot; cannot do 13, and nothing at all while it is away."""

    def __init__(self) -> None:
        self.lots: list[list[int]] = []
        self.away = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, lot: Sequence[int]) -> list[int]:
        self.lots.append(list(lot))
        await self.may_end.wait()
        if self.away:
            raise OperationalError("", {}, Exception("away"))
        if 13 in lot:
            raise ValueError(13)
        return [2 * number for number in lot]


async def asked(gathering: Gathering[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    """Begun, and waiting for their lot."""
    tasks = [asyncio.create_task(gathering.do(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_what_comes_while_a_lot_is_under_way_is_the_next_lot() -> None:
    work = Work()
    work.may_end.clear()
    gathering = Gathering(work, most=3)
    first = await asked(gathering, 1)
    await asyncio.sleep(0)
    more = await asked(gathering, 2, 3, 4, 5)
    work.may_end.set()
    assert await asyncio.gather(*first, *more) == [2, 4, 6, 8, 10]
    assert work.lots == [[1], [2, 3, 4], [5]]


async def test_a_bad_item_fails_alone() -> None:
    work = Work()
    tasks = await asked(Gathering(work), 1, 13, 2)
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert (found[0], found[2]) == (2, 4)
    assert isinstance(found[1], ValueError)


async def test_while_the_database_is_away_a_lot_is_tried_once() -> None:
    work = Work()
    work.away = True
    gathering = Gathering(work)
    found = await asyncio.gather(*await asked(gathering, 1, 2, 3), return_exceptions=True)
    assert all(isinstance(one, OperationalError) for one in found)
    assert work.lots == [[1, 2, 3]]
    work.away = False
    assert await gathering.do(4) == 8


async def test_who_goes_away_takes_nobody_along() -> None:
    work = Work()
    work.may_end.clear()
    gathering = Gathering(work)
    gone, stays = await asked(gathering, 1, 2)
    await asyncio.sleep(0)
    gone.cancel()
    work.may_end.set()
    assert await stays == 4
    assert work.lots == [[1, 2]]


async def test_messages_of_one_moment_are_stored_in_order_each_once(idle_gateway: Gateway) -> None:
    rows = [(f"c{number % 3}", f"m{number}") for number in range(12)]
    given = [row for row in rows for _ in range(2)]
    accepted = await asyncio.gather(
        *(idle_gateway.accept(mid, citizen, message_id=mid) for citizen, mid in given)
    )
    stored = await idle_gateway.inbox_rows()
    assert [row.text for row in stored] == [mid for _, mid in rows]
    assert [one.is_new for one in accepted] == [True, False] * 12
    assert [one.inbox_id for one in accepted[::2]] == [one.inbox_id for one in accepted[1::2]]
    assert [one.inbox_id for one in accepted[::2]] == [row.id for row in stored]
    assert len(await idle_gateway.all(Conversation)) == 3


async def test_a_name_that_no_database_stores_is_made_safe(idle_gateway: Gateway) -> None:
    await idle_gateway.accept("hỏi", citizen_name="An\x00 \ud800Bình")
    assert (await idle_gateway.conversation()).citizen_name == "An Bình"


async def test_answering_gives_way_to_what_arrives_but_not_for_ever() -> None:
    signals = Signals()
    with signals.arriving():
        waiting = asyncio.create_task(signals.calm(PATIENCE_SECONDS))
        await asyncio.sleep(0)
        assert not waiting.done()
        await signals.calm(0.01)  # comes back although something still arrives
        assert not waiting.done()
    await waiting
