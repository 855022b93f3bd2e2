"""The audit trail is what was written: whatever is changed, taken out or cut off is found."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, func, select, update

from portal.audit.models import AuditEntry
from portal.audit.services import record, seal
from portal.audit.verification import HEADS, Head, get_head, note_head, verify
from portal.core.db import db, transactional

pytestmark = pytest.mark.both_engines


@pytest.fixture
def entries(app_context, clock):
    """Ten entries, a minute apart; their ids."""
    for number in range(10):
        transactional(record)("seen", f"appointment:{number}", count=number)
        clock.shift(timedelta(minutes=1))
    return list(db.session.scalars(select(AuditEntry.id).order_by(AuditEntry.id)))[-10:]


@pytest.fixture
def command(app):
    def run(*arguments):
        return app.test_cli_runner().invoke(args=["audit", *arguments])

    return run


def change(statement):
    db.session.execute(statement.execution_options(synchronize_session=False))
    db.session.commit()


@pytest.mark.parametrize(
    "values",
    [
        {"actor": "staff:1"},
        {"action": "unseen"},
        {"subject": "appointment:x"},
        {"details": {"count": 99}},
        {"screen": "elsewhere"},
        {"seal": "f" * 64},
        {"previous": "f" * 64},
    ],
)
def test_the_first_entry_that_was_changed_is_named(entries, values):
    assert verify().is_whole
    change(update(AuditEntry).where(AuditEntry.id == entries[4]).values(**values))
    report = verify()
    assert report.torn == entries[4]
    assert not report.is_whole


def test_one_that_was_taken_out_tears_the_next(entries):
    change(delete(AuditEntry).where(AuditEntry.id == entries[4]))
    assert verify().torn == entries[5]


def test_the_oldest_ones_cannot_be_taken_away_without_a_word(entries):
    change(delete(AuditEntry).where(AuditEntry.id < entries[3]))
    assert verify().torn == entries[3]


def test_a_tail_that_was_cut_off_is_found_by_the_head_noted_beside_the_database(entries):
    note_head()
    change(delete(AuditEntry).where(AuditEntry.id > entries[6]))
    report = verify()
    assert (report.torn, report.lost.id) == (None, entries[-1])


def test_so_is_a_chain_that_was_written_anew_as_a_whole(entries):
    note_head()
    previous = "0" * 64
    for entry in db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)):
        entry.details, entry.previous = {}, previous
        entry.seal = previous = seal(entry)
    db.session.commit()
    report = verify()
    assert report.torn is None
    assert report.lost is not None


def test_and_by_a_head_that_somebody_kept_elsewhere(entries, command):
    head = command("head").output.strip()
    assert command("verify", "--head", head).exit_code == 0
    change(delete(AuditEntry).where(AuditEntry.id == entries[-1]))
    result = command("verify", "--head", head)
    assert result.exit_code == 1
    assert f"entry {entries[-1]} was once the newest" in result.output
    assert command("verify", "--head", "12").exit_code == 2


def test_the_command_says_how_many_until_when_and_what_is_torn(entries, command):
    total = db.session.scalar(select(func.count()).select_from(AuditEntry))
    result = command("verify")
    assert (result.exit_code, f"Whole: {total} entries until 2026-11-18 15:09:00 UTC." in result.output) == (0, True)
    assert str(get_head()) in result.output
    assert "Whole: 5 entries" in command("verify", "--since", "2026-11-18T15:05:00").output
    change(update(AuditEntry).where(AuditEntry.id == entries[2]).values(actor="x"))
    torn = command("verify")
    assert torn.exit_code == 1
    assert f"Torn at entry {entries[2]}" in torn.output
    assert command("verify", "--since", "2026-11-18T15:05:00").exit_code == 0  # what came later fits


def test_the_doctor_says_it_too(entries, app):
    change(update(AuditEntry).where(AuditEntry.id == entries[2]).values(actor="x"))
    assert f"changed at entry {entries[2]}" in app.test_cli_runner().invoke(args=["doctor"]).output


def test_the_head_is_noted_once_and_a_damaged_line_does_no_harm(entries, settings):
    note_head()
    note_head()
    file = settings.data_dir / HEADS
    assert file.read_text() == f"{get_head()}\n"
    file.write_text("nonsense\n" + file.read_text())
    assert verify().is_whole
    assert Head.read(str(get_head())) == get_head()


def test_each_entry_says_from_which_screen_or_command_and_holds_no_address(app, visitor, desk, book, command):
    book("2026-11-20 09:00")
    desk.open("/desk/requests?secret=1")
    app.test_cli_runner().invoke(args=["staff", "disable", "front-desk@clinic.example"])
    with app.app_context():
        screens = dict(db.session.execute(select(AuditEntry.action, AuditEntry.screen)).all())
    assert screens["list-seen"] == "frontdesk.list_requests"
    assert screens["booked"] == "booking.book"
    assert screens["staff-disabled"].endswith("disable")
    assert not [screen for screen in screens.values() if screen and ("/" in screen or "?" in screen)]
