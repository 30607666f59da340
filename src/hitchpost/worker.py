"""A worker's process: `python -m hitchpost.worker` keeps connections alive beside the servers, on as many machines as one likes."""

import asyncio
import os
import signal
import sys

from hitchpost.bootstrap import build
from hitchpost.db.schema import WrongSchema
from hitchpost.jobs.loop import new_loop
from hitchpost.settings import PREFIX, BadSettings, read_settings
from hitchpost.tokens.ring import BadRing
from hitchpost.web.log import set_up


async def _main() -> int:
    told = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, told.set)
    try:
        configuration = read_settings(os.environ)
        if not configuration.settings.database.startswith("postgresql://"):
            raise BadSettings(f"{PREFIX}DATABASE_URL: a worker needs PostgreSQL; with SQLite the server itself does all the work")
        log = set_up(configuration.settings.log_level)
        services = await build(configuration)
    except (BadSettings, BadRing, WrongSchema) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    log.info("the worker runs")
    services.engine.start()
    await told.wait()
    log.info("the worker stops")
    await services.close()
    return 0


def main() -> int:
    """Exit code 2 for a configuration that cannot work; the sentence on stderr names the setting."""
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        return runner.run(_main())


if __name__ == "__main__":
    sys.exit(main())
