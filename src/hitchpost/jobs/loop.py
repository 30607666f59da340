"""The event loop of our processes: uvloop where it is installed."""

from typing import Any


def new_loop() -> Any:
    """A factory for `asyncio.Runner`, or None for the standard loop."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
