"""Processes of their own for the tests, copied from one that has imported the portal and done nothing else.

To import it takes a second of a processor and to build a portal from it a tenth. What a copy runs, from its settings
on, is what `python -m` runs; tests/test_run.py starts the portal from nothing.
"""

from __future__ import annotations

import os
import runpy
import sys
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import gunicorn.app.wsgiapp
import gunicorn.workers.gthread  # noqa: F401 - what is imported here, the copies have

from portal import access, features, limits  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
context = get_context("forkserver")
context.set_forkserver_preload([__name__])


def start(module: str, *arguments: str, environment: dict[str, str], code: Path = ROOT) -> ForkServerProcess:
    """`python -m module arguments`, with these variables and in a session of its own, of this code or of another."""
    everything = {**os.environ, **environment}
    process = context.Process(target=_run, args=(module, arguments, everything, code), daemon=True)
    process.start()
    return process


def _run(module: str, arguments: tuple[str, ...], environment: dict[str, str], code: Path) -> None:
    os.setsid()
    os.chdir(code)
    if code != ROOT:
        os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environment)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
