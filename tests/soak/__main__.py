"""`python -m tests.soak`: kill the gateway again and again, or flood it, and count what became of it."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

import aiohttp

from tests.soak.rig import Outcome, Rig, acknowledged, outcome, rig

CITIZENS = 25
WORKS_SECONDS = 1.5  # at most, before the gateway is killed
KILLED_STARTING = 0.1  # share of kills while the gateway starts
MOST_UNACCEPTED = 60  # deliveries
RASA_SECONDS = 0.05


async def write_until(made: Rig, ended: asyncio.Event, chance: random.Random) -> None:
    """Citizens write, several messages in a row at times; Meta cuts a connection now and then."""
    number = 0
    while not ended.is_set():
        if made.meta.deliverer.unaccepted > MOST_UNACCEPTED:
            # A gateway that hardly lives is to be killed at work, not only under a storm of repetitions.
            await asyncio.sleep(0.1)
            continue
        citizen = f"psid-{chance.randrange(CITIZENS)}"
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            number += 1
            made.meta.write(citizen, f"câu {number}")
        if chance.random() < 0.05:
            made.meta.controls.change({"cut": 1})
        await asyncio.sleep(chance.expovariate(8))


async def soak(kills: int, data_dir: Path, seed: int) -> Outcome:
    """Kill the gateway so many times under load, then let it finish."""
    chance = random.Random(seed)
    async with rig(data_dir, RASA_SECONDS) as made:
        made.meta.controls.change({"deliveries": 2})
        ended = asyncio.Event()
        writing = asyncio.create_task(write_until(made, ended, chance))
        for kill in range(1, kills + 1):
            await made.start()
            if chance.random() > KILLED_STARTING:
                await made.listening()
            await asyncio.sleep(chance.uniform(0, WORKS_SECONDS))
            await made.end(signal.SIGKILL)
            if kill % 20 == 0:
                print(f"{kill} kills, {len(made.meta.sent)} answers", flush=True)
        ended.set()
        await writing
        made.meta.controls.change({"deliveries": 1, "cut": 0})
        await made.start()
        await made.drained()
        found = await outcome(made, acknowledged(made))
        await made.end(signal.SIGTERM)
    return found


async def burst(rate: int, seconds: int, data_dir: Path) -> Outcome:
    """Send so many webhooks a second whatever the gateway does, and print how fast it answers."""
    async with rig(data_dir) as made, aiohttp.ClientSession() as http:
        await made.start()
        await made.listening()
        latencies: list[float] = []
        taken: set[str] = set()
        refused: list[int] = []

        async def post(number: int) -> None:
            citizen, mid = f"psid-{number % (rate * 5)}", f"burst-{number}"
            made.meta.citizen(citizen).last_wrote_at = made.meta._clock()
            item = {
                "sender": {"id": citizen},
                "recipient": {"id": made.meta.account.page_id},
                "timestamp": made.meta._now_ms(),
                "message": {"mid": mid, "text": f"câu {number}"},
            }
            body = json.dumps(
                {"object": "page", "entry": [{"id": made.meta.account.page_id, "messaging": [item]}]}
            ).encode()
            started = time.monotonic()
            async with http.post(
                made.meta.deliverer.url, data=body, headers=made.meta.sign(body)
            ) as response:
                await response.read()
                latencies.append(time.monotonic() - started)
                if response.status == 200:
                    taken.add(mid)
                else:
                    refused.append(response.status)

        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(rate * seconds):
                await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
                group.create_task(post(number))
        sent_in = time.monotonic() - started
        latencies.sort()
        at = {share: latencies[int(len(latencies) * share)] for share in (0.5, 0.99)}
        print(
            f"{len(latencies)} webhooks in {sent_in:.1f} s, {len(refused)} refused; acknowledged in p50 "
            f"{at[0.5] * 1000:.0f} ms, p99 {at[0.99] * 1000:.0f} ms, at most {latencies[-1] * 1000:.0f} ms",
            flush=True,
        )
        await made.drained()
        print(f"drained {time.monotonic() - started - sent_in:.1f} s after the last one", flush=True)
        found = await outcome(made, taken)
        await made.end(signal.SIGTERM)
    return found


def main() -> int:
    """Run one of the two; 1 when something was lost, duplicated or out of order."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="SIGKILLs (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument(
        "--burst", type=int, metavar="RATE", help="flood with so many messages a second instead"
    )
    parser.add_argument("--seconds", type=int, default=30, help="of the flood (default 30)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        data_dir = Path(folder)
        run: Awaitable[Outcome] = (
            soak(options.kills, data_dir, options.seed)
            if options.burst is None
            else burst(options.burst, options.seconds, data_dir)
        )
        found = asyncio.run(_run(run))
    what = f"{options.kills} kills" if options.burst is None else f"{options.burst}/s for {options.seconds} s"
    print(f"{what}: {found}", flush=True)
    return 0 if found.good else 1


async def _run(running: Awaitable[Outcome]) -> Outcome:
    return await running


if __name__ == "__main__":
    sys.exit(main())
