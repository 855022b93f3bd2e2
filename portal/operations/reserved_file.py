"""The files in which a process counts for Prometheus, none of which can end it when the disk is full.

The library writes into holes of a file through memory: where the disk has no block for one, the kernel ends the process
by SIGBUS. Here the blocks are reserved before; without them a process counts in memory, where nobody reads it.
"""

from __future__ import annotations

import logging
import os
from functools import cache
from pathlib import Path
from typing import BinaryIO

from prometheus_client.mmap_dict import _INITIAL_MMAP_SIZE as AT_FIRST
from prometheus_client.mmap_dict import MmapedDict

BESIDE_ITS_NAME = 32  # bytes that a figure takes at most

log = logging.getLogger(__name__)


class ReservedFile(MmapedDict):
    """The library's file of figures, with room on the disk for all of its size."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        place = filename if read_mode or _is_made(Path(filename)) else _in_memory()
        super().__init__(place, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        """Begin a figure, for which the library doubles a file that is full."""
        full = self._used + len(key.encode()) + BESIDE_ITS_NAME > self._capacity
        if full and not _has_room(self._f, 2 * self._capacity):
            self.close()  # type: ignore[no-untyped-call]
            super().__init__(_in_memory())  # type: ignore[no-untyped-call]
        super()._init_value(key)  # type: ignore[no-untyped-call]


def _is_made(path: Path) -> bool:
    try:
        with path.open("ab") as file:
            if _has_room(file, max(AT_FIRST, file.tell())):
                return True
        path.unlink()  # an empty one could not be read
    except OSError as error:
        _say_once(error.strerror)
    return False


def _has_room(file: BinaryIO, size: int) -> bool:
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        _say_once(error.strerror)
        return False
    return True


def _in_memory() -> int:
    return os.memfd_create("figures")


@cache
def _say_once(reason: str | None) -> None:
    log.warning("figures of this process are not kept: %s", reason)
