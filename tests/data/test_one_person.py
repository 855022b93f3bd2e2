"""Everything about one person: handed over, held, erased."""

import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from portal.assessment.models import Assessment
from portal.audit.models import AuditEntry
from portal.audit.verification import verify
from portal.booking.erasure import HasVisitToCome, NewsUnsent, UnderLegalHold, erase
from portal.booking.links import renew
from portal.booking.models import Appointment, Patient, PatientRequest, VisitNote
from portal.booking.person import NOT_ABOUT_PATIENTS, PARTS, gather
from portal.booking.person_export import SECRET
from portal.core.columns import EncryptedJSON, EncryptedText
from portal.core.db import Base, db
from portal.home.purging import purge
from portal.notifications.models import OutgoingMail
from portal.notifications.services import note_bounce, send_due_mail
from portal.notifications.transport import Courier
from portal.referrals.models import Journey
from tests.assessment.test_walk import NECK
from tests.data.conftest import NAME, TRACES, WORDS, dump, dump_decrypted, words_of
from tests.visitor import Visitor

BEGIN = {"patient", "journey"}  # whatever refers to these, or to what refers to these, is about somebody


def exported(response):
    archive = zipfile.ZipFile(io.BytesIO(response.data))
    return json.loads(archive.read("person.json")), archive.read("person.html").decode()


def form_to(page, ending):
    return next(form for form in page.forms if form.action.endswith(ending))


@pytest.fixture
def export(manager, life):
    """What the manager gets who exports the person of the life."""

    def export():
        page = manager.open(f"/desk/patients/{life[0]}")
        return manager.client.post(f"/desk/patients/{life[0]}/export", data=form_to(page, "/export").values)

    return export


@pytest.fixture
def erased(manager, life, app, clock):
    """The person is erased at the desk, in its two steps."""
    clock.shift(timedelta(hours=3))  # the visit is over
    manager.sign_in()
    manager.open(f"/desk/patients/{life[0]}/erase")
    page = manager.send(form_to(manager.page, "/erase"), reason="asked")
    assert "cannot be undone" in page.text
    assert "Zelda" in dump(app)  # not before the second step
    return manager.send(form_to(page, "/erase"))


class TestTables:
    """No table and no column can be forgotten."""

    def test_every_table_that_refers_to_a_person_is_exported_and_erased(self):
        about, grown = set(BEGIN), True
        while grown:
            refer = {
                t.name for t in Base.metadata.sorted_tables if any(k.column.table.name in about for k in t.foreign_keys)
            }
            grown = bool(refer - about)
            about |= refer
        assert about <= PARTS.keys()

    def test_every_table_with_something_encrypted_is_too_or_says_why_not(self):
        encrypted = {
            table.name
            for table in Base.metadata.sorted_tables
            if any(isinstance(column.type, EncryptedJSON | EncryptedText) for column in table.columns)
        }
        assert encrypted <= PARTS.keys() | NOT_ABOUT_PATIENTS.keys()

    @pytest.mark.parametrize("name", [name for name, part in PARTS.items() if not part.is_deleted])
    def test_every_column_of_a_row_that_stays_is_said_to_stay_or_to_go(self, name):
        part, columns = PARTS[name], {column.name for column in Base.metadata.tables[name].columns}
        assert part.keep | part.erase.keys() == columns
        assert not part.keep & part.erase.keys()


class TestExport:
    def test_it_holds_every_word_and_every_record_to_read_and_for_programs(self, export, manager):
        response = export()
        assert (response.status_code, response.mimetype) == (200, "application/zip")
        assert response.headers["Cache-Control"] == "no-store"
        data, page = exported(response)
        tables = data["tables"]
        assert {name for name, rows in tables.items() if not rows} <= {"legal_hold", "booking_draft"}
        assert len(tables["patient"]) == 2
        assert len(tables["appointment"]) == 2
        for words in (*WORDS, *(value for key, value in NAME.items() if key in {"name", "email"})):
            assert words in json.dumps(tables)
            assert words in words_of(page)
        assert {row["place"] for row in tables["appointment"]} == {"East"}
        assert "Person Number" not in json.dumps(data)  # nobody else

    def test_no_key_to_anything_is_in_it(self, export, life):
        data, page = exported(export())
        assert life[1].rpartition("/")[2] not in json.dumps(data) + page
        assert not SECRET & {column for rows in data["tables"].values() for row in rows for column in row}

    def test_it_is_noted_who_took_it(self, export, app):
        export()
        with app.app_context():
            entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "person-exported"))
        assert (entry.screen, entry.actor[:6]) == ("person.export", "staff:")

    def test_the_command_writes_the_same_to_a_file_that_nobody_else_can_read(self, app, life, diary, tmp_path):
        reference = diary.scalar(select(Appointment.reference).where(Appointment.patient_id == life[0]))
        file = tmp_path / "person.zip"
        result = app.test_cli_runner().invoke(args=["person", "export", reference, "--to", str(file)])
        assert result.exit_code == 0, result.output
        assert file.stat().st_mode & 0o077 == 0
        assert set(zipfile.ZipFile(file).namelist()) == {"person.json", "person.html"}
        assert app.test_cli_runner().invoke(args=["person", "export", "TST-XXXX-33", "--to", str(file)]).exit_code == 1

    def test_it_is_for_managers(self, desk, life):
        token = desk.open("/desk/find").form.values["csrf_token"]
        assert desk.client.post(f"/desk/patients/{life[0]}/export", data={"csrf_token": token}).status_code == 403


class TestErasure:
    def test_waits_until_the_news_of_a_cancelled_visit_has_left(self, app, manager, desk, book, diary, clock):
        _, reference = book("2026-11-25 09:00", "new", **NAME)
        visit = diary.scalar(select(Appointment).where(Appointment.reference == reference))
        page = desk.open(f"/desk/visit/{visit.id}")
        desk.send(form_to(page, "/cancel"), reason="patient")
        assert "leaves in a few minutes" in manager.open(f"/desk/patients/{visit.patient_id}/erase").text
        with app.app_context(), pytest.raises(NewsUnsent):
            erase(visit.patient_id, "asked")
        clock.shift(timedelta(minutes=4))
        with app.app_context():
            send_due_mail()
            erase(visit.patient_id, "asked")

    def test_finds_what_was_asked_with_the_name_in_another_spelling(self, app, book, diary):
        _, reference = book("2026-11-25 09:00", "new", **{**NAME, "name": "Zoë O’Quixote"})
        patient_id = diary.scalar(select(Appointment.patient_id).where(Appointment.reference == reference))
        asking = Visitor(app)
        asking.open("/request/call-back")
        asking.send(name="zoe o'quixote", phone=NAME["phone"], best_time="any")
        with app.app_context():
            assert len(gather(patient_id).requests) == 1

    @pytest.mark.both_engines
    def test_nothing_of_the_person_is_left_in_the_whole_database(self, app, erased, life):
        assert "This person was erased" in erased.text
        for stored in (dump(app), dump_decrypted(app)):
            assert [trace for trace in TRACES if trace in stored] == []

    def test_nor_in_the_file_itself(self, app, erased, settings):
        if settings.database.startswith("sqlite"):
            with app.app_context():
                db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                db.session.rollback()
            file = (settings.data_dir / "portal.db").read_bytes()
            assert [trace for trace in TRACES if trace.encode() in file] == []

    def test_the_diary_the_counts_and_the_trail_stay_as_they_were(self, app, life, clock, manager, diary):
        def count():
            with app.app_context():
                visits = db.session.execute(select(Appointment.slot_id, Appointment.status, Appointment.visit_type_id))
                ways = db.session.execute(select(Journey.day, Journey.link_code, Journey.reached, Journey.lane))
                return sorted(map(tuple, visits)), sorted(map(repr, ways))

        before = count()
        clock.shift(timedelta(hours=3))
        with app.app_context():
            erase(life[0], "asked")
            assert verify().is_whole
        assert count() == before
        manager.sign_in()
        assert "(erased)" in manager.open("/desk/day/2026-11-20").text

    def test_links_are_dead_and_mail_that_waits_does_not_leave(self, app, erased, life, diary):
        assert Visitor(app).open(life[1]).status == 404
        waiting = select(OutgoingMail.state).where(OutgoingMail.state.in_(["queued", "retrying"]))
        abouts = select(Appointment.id).where(Appointment.patient_id == life[0])
        assert diary.all(waiting.where(OutgoingMail.about_id.in_(abouts))) == []

    def test_a_mail_that_comes_back_afterwards_brings_no_address(self, app, erased, diary):
        bounced = diary.scalar(select(OutgoingMail.id).where(OutgoingMail.state == "bounced"))
        with app.app_context():
            assert note_bounce(bounced, f"550 no mailbox {NAME['email']}")
        assert NAME["email"] not in dump_decrypted(app)

    def test_mail_that_did_not_arrive_troubles_the_desk_no_longer(self, erased, desk):
        desk.sign_in()
        assert "All mail has left." in desk.open("/desk/mail/").text

    @pytest.mark.both_engines
    def test_nor_does_one_that_is_at_the_mail_server_meanwhile(self, app, life, clock, diary, mail_server, monkeypatch):
        clock.shift(timedelta(hours=3))
        deliver = Courier.deliver

        def deliver_and_erase(*mail):
            deliver(*mail)
            erase(life[0], "asked")

        with app.app_context():
            send_due_mail()
            renew(diary.scalar(select(Appointment.id).where(Appointment.status == "arrived")))
            monkeypatch.setattr(Courier, "deliver", deliver_and_erase)
            send_due_mail()
        assert NAME["name"] in mail_server.text()
        assert NAME["email"] not in dump_decrypted(app)

    def test_the_desk_neither_finds_nor_changes_the_person_any_more(self, erased, desk, life, manager):
        desk.sign_in()
        desk.open("/desk/find")
        assert "erased" not in desk.send(desk.page.forms[0], q="quixote").text
        token = desk.open("/desk/find").form.values["csrf_token"]
        assert desk.client.post(f"/desk/patients/{life[0]}", data={"csrf_token": token}).status_code == 404
        assert manager.open(f"/desk/patients/{life[0]}/erase").heading == "This person has been erased"

    @pytest.mark.both_engines
    def test_nothing_is_written_on_a_visit_any_more_and_who_tries_is_told(self, erased, desk, life, diary):
        desk.sign_in()
        visit = diary.scalar(
            select(Appointment).where(Appointment.patient_id == life[0], Appointment.status == "arrived")
        )
        page = desk.open(f"/desk/visit/{visit.id}")
        assert not [form for form in page.forms if form.action.endswith("/note")]
        assert "<h2>Notes</h2>" not in page.text
        assert "Reference to read out" not in page.text
        sent = {
            "csrf_token": form_to(page, "/status").values["csrf_token"],
            "words": "Rang her",
            "version": visit.version,
        }
        for action in ("note", "status"):
            told = desk.post(f"/desk/visit/{visit.id}/{action}", {**sent, "status": "fulfilled"})
            assert "the person was erased" in told.text
        assert diary.all(select(VisitNote)) == []
        assert diary.scalar(select(Appointment.status).where(Appointment.id == visit.id)) == "arrived"

    def test_twice_is_once(self, app, erased, life, diary):
        with app.app_context():
            erase(life[0], "asked")
        assert len(diary.all(select(AuditEntry).where(AuditEntry.action == "patient-erased"))) == 1

    def test_with_a_visit_to_come_it_is_refused_until_that_is_cancelled(self, app, book, diary, manager):
        _, reference = book("2026-11-20 09:00")
        patient_id = diary.scalar(select(Appointment.patient_id).where(Appointment.reference == reference))
        with app.app_context(), pytest.raises(HasVisitToCome):
            erase(patient_id, "asked")
        page = manager.open(f"/desk/patients/{patient_id}/erase")
        assert "Cancel it first" in page.text
        assert not [form for form in page.forms if form.action.endswith("/erase")]
        token = manager.open("/desk/find").form.values["csrf_token"]
        forced = {"csrf_token": token, "reason": "asked", "confirmed": "yes"}
        assert manager.post(f"/desk/patients/{patient_id}/erase", forced).status == 409
        assert diary.scalar(select(Patient.name).where(Patient.id == patient_id)) == "Person Number 1"

    def test_who_is_of_another_family_name_on_the_same_phone_stays(self, app, erased, life, book, diary):
        assert "Person Number 1" in dump(app)


class TestLegalHold:
    @pytest.fixture
    def held(self, manager, life):
        page = manager.open(f"/desk/patients/{life[0]}")
        return manager.send(form_to(page, "/hold"), reason="Case 4711")

    def test_it_stands_on_the_page_with_who_and_why_until_it_is_lifted_with_a_reason(self, manager, held, app):
        assert "Legal hold" in held.text
        assert "Case 4711" in held.text
        assert "Case 4711" not in dump(app)
        assert manager.send(form_to(held, "/hold/lift"), reason="").status == 422
        lifted = manager.send(form_to(manager.page, "/hold/lift"), reason="Case closed")
        assert "lifted" in lifted.text
        assert not [form for form in lifted.forms if form.action.endswith("/lift")]

    @pytest.mark.both_engines
    def test_nothing_of_the_patient_is_erased_or_purged_while_it_stands(self, app, held, life, clock):
        before = len(dump_decrypted(app))
        clock.shift(timedelta(days=365 * 30))
        with app.app_context():
            with pytest.raises(UnderLegalHold):
                erase(life[0], "asked")
            purge()
        stored = dump_decrypted(app)
        assert [trace for trace in TRACES if trace not in stored] == []
        assert "Person Number" not in stored  # all others are long gone
        assert len(stored) < before + 2000

    @pytest.mark.both_engines
    def test_the_answers_behind_a_request_stay_and_the_way_that_led_to_it(self, app, held, diary, clock):
        asking = Visitor(app)
        asking.finish(**NECK)
        asking.open("/request/call-back")
        asking.send(name=NAME["name"], phone=NAME["phone"], best_time="any")
        way = diary.scalar(select(PatientRequest.journey_id).order_by(PatientRequest.asked_at.desc()))
        clock.shift(timedelta(days=100))
        with app.app_context():
            purge()
            assert db.session.get(Journey, way) is not None
            assert db.session.scalar(select(Assessment.id).where(Assessment.journey_id == way)) is not None

    def test_once_lifted_the_purge_goes_on(self, app, manager, held, life, clock):
        manager.send(form_to(held, "/hold/lift"), reason="Case closed")
        clock.shift(timedelta(days=365 * 30))
        with app.app_context():
            purge()
        stored = dump_decrypted(app)
        assert [trace for trace in TRACES if trace in stored] == []

    @pytest.fixture
    def merged_on(self, manager, held, life, book, diary):
        """The person's record has been merged into another, and that one into a third: the id of the third."""
        records = [life[0]]
        for wall, name in (("2026-11-25 09:00", "Zelda Quix"), ("2026-11-25 10:00", "Zelda Q")):
            _, reference = book(wall, "new", **{**NAME, "name": name})
            records.append(diary.scalar(select(Appointment.patient_id).where(Appointment.reference == reference)))
            page = manager.open(f"/desk/patients/{records[-1]}/merge/{records[-2]}")
            manager.send(form_to(page, f"/merge/{records[-2]}"))
        return records[-1]

    @pytest.mark.both_engines
    def test_it_goes_with_the_person_through_every_merge(self, app, manager, merged_on, clock):
        assert "Case 4711" in manager.open(f"/desk/patients/{merged_on}").text
        clock.shift(timedelta(days=365 * 30))
        with app.app_context():
            purge()
        stored = dump_decrypted(app)
        assert [trace for trace in TRACES if trace not in stored] == []

    def test_it_can_be_lifted_on_the_record_that_stands_for_the_person(self, app, manager, merged_on, clock):
        page = manager.open(f"/desk/patients/{merged_on}")
        assert "lifted" in manager.send(form_to(page, "/hold/lift"), reason="Case closed").text
        clock.shift(timedelta(days=365 * 30))
        with app.app_context():
            purge()
        stored = dump_decrypted(app)
        assert [trace for trace in TRACES if trace in stored] == []

    def test_it_stays_where_it_was_set_when_a_merge_is_undone(self, manager, merged_on, life):
        page = manager.open(f"/desk/patients/{merged_on}")
        page = manager.send(next(form for form in page.forms if "/undo-merge/" in form.action))
        assert "Case 4711" not in page.text
        merged = manager.open(f"/desk/patients/{life[0]}")  # still one with the second record
        assert "Case 4711" in merged.text

    def test_one_that_was_set_on_merged_records_stays_on_both_when_they_are_two_again(
        self, manager, book, diary, clock
    ):
        records = []
        for wall, name in (("2026-11-25 09:00", "Zelda Quix"), ("2026-11-25 10:00", "Zelda Q")):
            _, reference = book(wall, "new", **{**NAME, "name": name})
            records.append(diary.scalar(select(Appointment.patient_id).where(Appointment.reference == reference)))
        page = manager.open(f"/desk/patients/{records[0]}/merge/{records[1]}")
        manager.send(form_to(page, f"/merge/{records[1]}"))
        clock.shift(timedelta(minutes=1))
        manager.send(form_to(manager.open(f"/desk/patients/{records[0]}"), "/hold"), reason="Case 12")
        page = manager.open(f"/desk/patients/{records[0]}")
        manager.send(next(form for form in page.forms if "/undo-merge/" in form.action))
        assert ["Case 12" in manager.open(f"/desk/patients/{record}").text for record in records] == [True, True]

    def test_it_is_for_managers(self, desk, staff, life):
        token = desk.open("/desk/find").form.values["csrf_token"]
        sent = {"csrf_token": token, "reason": "x"}
        assert desk.client.post(f"/desk/patients/{life[0]}/hold", data=sent).status_code == 403
        assert "person’s data" not in desk.open(f"/desk/patients/{life[0]}").text
