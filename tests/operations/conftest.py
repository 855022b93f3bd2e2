"""Commands as somebody at a terminal gives them."""

import itertools
import os
import subprocess

import pytest

from tests.visitor import Visitor

people = itertools.count(1000)


@pytest.fixture
def run(app):
    """Run a command; its exit status and words."""

    def run(*words):
        result = app.test_cli_runner().invoke(args=[str(word) for word in words])
        return result.exit_code, result.output

    return run


@pytest.fixture
def backup(run, tmp_path):
    """Make a backup: the file."""

    def make(*options):
        status, said = run("backup", "--to", tmp_path / "backups", *options)
        assert status == 0, said
        return max((tmp_path / "backups").glob("*.backup"))

    return make


@pytest.fixture
def mount(tmp_path):
    """Mount a disk of so many bytes: its folder."""
    folder = tmp_path / "volume"
    folder.mkdir()

    def mount(size):
        if (
            os.geteuid()
            or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=False).returncode
        ):
            pytest.skip("only an account that may mount a volume can try this")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def book(app):
    """Somebody new books: the reference."""

    def book(slot=None):
        person, number = Visitor(app), next(people)
        person.pass_safety()
        page = person.book(
            slot, name=f"Jane Doe {number}", email=f"jane{number}@example.com", phone=f"212 555 {number}"
        )
        assert page.outcome == "booked", page.text
        return page.reference

    return book
