"""One world for all that look at it; whoever changes it puts it back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from tests.access.world import World, build_world
from tests.conftest import NOW, make_settings


@pytest.fixture(scope="session")
def kept_world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    shutil.copyfile(sqlite_template, folder / "portal.db")
    with build_world(make_settings(folder)) as world:
        with time_machine.travel(NOW, tick=False):
            world.keep()
        yield world


@pytest.fixture
def world(kept_world: World) -> Iterator[World]:
    """Everybody and everything, as new for each test."""
    with time_machine.travel(NOW, tick=False):
        kept_world.restore()
        yield kept_world
