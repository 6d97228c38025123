"""`python -m simulators`: the simulated page and Official Account beside one gateway, until stopped."""

from __future__ import annotations

import asyncio
import os
import signal

from aiohttp import web

from simulators import meta, zalo


async def serve(gateway: str, meta_port: int, zalo_port: int, refresh_token: str) -> None:
    """Serve both on this machine."""
    page = meta.MetaSimulator(f"{gateway}/webhooks/messenger")
    account = zalo.ZaloSimulator(f"{gateway}/webhooks/zalo", first_refresh_token=refresh_token)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runners = [web.AppRunner(simulator.app(), access_log=None) for simulator in (page, account)]
    for runner, port in zip(runners, (meta_port, zalo_port)):
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    await stopped.wait()
    for runner in runners:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(
        serve(
            f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}",
            int(os.environ["META_SIMULATOR_PORT"]),
            int(os.environ["ZALO_SIMULATOR_PORT"]),
            os.environ["ZALO_REFRESH_TOKEN"],
        )
    )
