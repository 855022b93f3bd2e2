"""Whatever is sent to any route by anybody gets an answer of ours, soon, and breaks nothing.

A few hundred requests in `make test`; `make proof` sends a hundred thousand to real web processes on both databases.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from multiprocessing import active_children
from pathlib import Path
from statistics import median

import pytest
import time_machine
from flask import request
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from portal.config import Settings
from tests import servers
from tests.access.world import World, build_world
from tests.conftest import NOW, make_settings, settings_environment
from tests.fuzz.aim import Aim, Faults, find_damage, send_here, send_to
from tests.fuzz.requests import Shot, shots

TOGETHER = 10  # requests an example
FEW, MANY = 25, int(os.environ.get("PORTAL_TEST_FUZZ", "100000")) // 2 // TOGETHER  # examples
WARM = 0.4  # of all requests, after which a process has loaded what it ever will
MAY_GROW = 60_000  # kilobytes from then on; what lost a kilobyte or two a request would be far above


@pytest.fixture
def engine() -> str:
    """The few run where they are quickest."""
    return "sqlite"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("target")
    shutil.copyfile(sqlite_template, folder / "portal.db")
    with build_world(make_settings(folder)) as world:
        world.app.config["PROPAGATE_EXCEPTIONS"] = False
        yield world


@pytest.fixture
def aim(target: World) -> Iterator[Aim]:
    aim = Aim(target, send_here)
    handler = Faults(aim.faults)
    logging.getLogger("portal").addHandler(handler)
    with time_machine.travel(NOW, tick=False):
        yield aim
    logging.getLogger("portal").removeHandler(handler)


def fire(aim: Aim, examples: int, deterministic: bool, after=lambda: None) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=deterministic,
        database=None,
        phases=[Phase.generate] if not deterministic else [Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(shots(aim.world), min_size=TOGETHER, max_size=TOGETHER))
    def shoot(some):
        for shot in some:
            aim.shoot(shot)
        after()

    shoot()


def test_a_few_hundred_requests_of_every_kind_get_an_answer_and_do_no_damage(aim):
    fire(aim, FEW, deterministic=True)
    assert aim.sent >= FEW * TOGETHER
    assert {200, 302, 303, 400, 404, 405, 422} <= {status for _, status in aim.answered}
    assert find_damage(aim.world) == []


def test_a_fault_anywhere_would_be_found(aim, monkeypatch):
    monkeypatch.setitem(aim.world.app.view_functions, "education.search", lambda: 1 // 0)
    with pytest.raises(AssertionError, match=r"(?s)answered 500.*ZeroDivisionError"):
        aim.shoot(Shot("nobody", "GET", "/search?q=x"))


def test_markup_that_comes_back_as_markup_would_be_found(aim, monkeypatch):
    monkeypatch.setitem(aim.world.app.view_functions, "education.search", lambda: "<p>" + request.args["q"])
    with pytest.raises(AssertionError, match="as markup"):
        aim.shoot(Shot("nobody", "GET", "/search?q=<script>fuzz"))


@pytest.fixture(params=["sqlite", "postgresql"])
def served_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "portal.db")
        return make_settings(tmp_path)
    server = request.getfixturevalue("postgresql")
    name = server.create_database(template=request.getfixturevalue("postgresql_template"))
    return make_settings(tmp_path, database_url=server.url(name))


def resident(pid: int) -> int:
    """Kilobytes of memory that a process and those it started hold."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    return own + sum(resident(int(child)) for child in children)


@pytest.mark.proof
def test_a_hundred_thousand_requests_leave_web_processes_and_database_as_sound_as_before(served_settings):
    sizes: list[int] = []
    others = active_children()
    with build_world(served_settings) as world, time_machine.travel(NOW, tick=True):
        with servers.web_server(
            settings_environment(served_settings), workers=1, app="tests.fuzz.served:app"
        ) as address:
            aim = Aim(world, send_to(address))
            (server,) = set(active_children()).difference(others)

            def watch() -> None:
                if aim.sent >= WARM * MANY * TOGETHER:
                    sizes.append(resident(server.pid))

            fire(aim, MANY, deterministic=False, after=watch)
            assert server.is_alive()  # the same process to the end
        assert find_damage(world) == []
    assert median(sizes[-100:]) - median(sizes[:100]) < MAY_GROW, " ".join(map(str, sizes[:: max(1, len(sizes) // 40)]))
