"""`python -P tied.py MODULE ARGUMENT…` runs the module as `python -m` does, and ends it when whoever started it is gone.

Run by its path, so that the program loads nothing of the demo. Its standard input is a pipe that its parent holds open and never writes
to: the kernel closes it however the parent ends, kill -9 included.
"""

import os
import runpy
import signal
import sys
import threading
import time

PATIENCE = 30.0
"""Seconds: as long as the demo itself waits for a program that it has told to stop."""


def _watch(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    # To the main thread, which may be waiting in a system call.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True, name="lifeline").start()
    # runpy puts the module's own path in front.
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
