"""Nothing at the desk happens unseen: every page that shows a patient and every change leaves an entry."""

from urllib.parse import urljoin, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import func, select

from portal.access import POLICIES
from portal.accounts.services import StaffRole
from portal.assessment.models import Assessment
from portal.audit.models import AuditEntry
from portal.booking.models import Appointment, Offer, Patient, PatientMerge, PatientRequest, VisitChange, WaitlistEntry
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.scheduling.models import Availability, Closure, Provider, Slot
from tests.data.conftest import NAME
from tests.visitor import Page

SHOWS = ("Quixot", "Person Number", "646) 555-01", "zelda.q@")
# What changes nothing about anybody: how the screen looks, what is looked for and not found, steps of a call that show
# nobody, leaving.
NOTHING_TO_NOTE = {
    *("find.switch_keys", "frontdesk.toggle_mask", "screen.note_use", "find.find", "callers.take_step"),
    *("second_step.begin_app", "account.end_other_sessions", "diary.add_availability"),
    *("diary.replace_availability", "setup.save_entry", "setup.save_clinic", "staff.change_member"),  # sent unchanged
}
ENDS_THE_SESSION = {"screen.lock", "sign_in.sign_out", "account.end_session"}


def is_text(response):
    return response.mimetype.startswith("text/") or response.mimetype.endswith("json")


def shows_somebody(response):
    if not is_text(response):  # a brief on paper; the sheets of links are about nobody
        return "brief" in response.request.path
    return any(words in response.text for words in SHOWS)


@pytest.fixture
def engine():
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def count(app):
    """How many entries there are."""

    def count():
        with app.app_context():
            return db.session.scalar(select(func.count()).select_from(AuditEntry))

    return count


@pytest.fixture
def values(app, life, diary):
    """Something real for each part of an address."""
    patient_id = life[0]
    visit = select(Appointment).where(Appointment.patient_id == patient_id, Appointment.status == "arrived")
    with app.app_context():
        stored = {
            "appointment_id": db.session.scalar(visit).id,
            "patient_id": patient_id,
            "other_id": db.session.scalar(select(Patient.id).where(Patient.name == "Person Number 1")),
            "merge_id": db.session.scalar(select(PatientMerge.id)),
            "change_id": db.session.scalar(select(VisitChange.id).order_by(VisitChange.done_at.desc())),
            "request_id": db.session.scalar(select(PatientRequest.id)),
            "entry_id": db.session.scalar(select(WaitlistEntry.id)),
            "offer_id": db.session.scalar(select(Offer.id)),
            "assessment_id": db.session.scalar(select(Assessment.id)),
            "slot_id": db.session.scalar(select(Slot.id)),
            "mail_id": db.session.scalar(select(OutgoingMail.id).where(OutgoingMail.state == "bounced")),
            "provider_id": db.session.scalar(select(Provider.id)),
            "closure_id": db.session.scalar(select(Closure.id)) or 1,
            "availability_id": db.session.scalar(select(Availability.id)),
        }
    return {**stored, "day": "2026-11-20", "month": "2026-11", "section": "places", "code": "leaflet"}


@pytest.fixture
def addresses(app, values):
    """Every page of the desk: its endpoint and an address of it with something in it."""
    found = []
    with app.test_request_context():
        adapter = app.create_url_adapter(None)
        for rule in app.url_map.iter_rules():
            if POLICIES[rule.endpoint] and "GET" in rule.methods and rule.endpoint not in ENDS_THE_SESSION:
                filled = {name: values.get(name, _any(converter)) for name, converter in rule._converters.items()}
                found.append((rule.endpoint, adapter.build(rule.endpoint, filled)))
    return found


def _any(converter):
    return {"UUIDConverter": UUID(int=0), "IntegerConverter": 1}.get(type(converter).__name__, "east")


def test_every_page_that_shows_a_patient_leaves_an_entry(manager, addresses, count):
    shown, unseen = [], []
    for endpoint, address in addresses:
        before = count()
        response = manager.client.get(address)
        if shows_somebody(response):
            shown.append(endpoint)
            if count() == before:
                unseen.append(endpoint)
    assert unseen == []
    assert len(shown) >= 12


def test_every_form_that_is_sent_with_success_leaves_an_entry(app, manager, addresses, count, desk):
    """Each form of each page, as it stands there, sent once; what is refused as incomplete changes nothing."""
    done, unseen, seen = set(), [], set()
    adapter = app.url_map.bind("127.0.0.1:8000")
    for _, address in addresses:
        response = manager.client.get(address, follow_redirects=True)
        for form in Page(response).forms if is_text(response) else ():
            path = urlsplit(urljoin(address, form.action)).path
            endpoint = adapter.match(path, method="POST")[0] if form.method == "post" and form.action else ""
            if not endpoint or endpoint in seen | ENDS_THE_SESSION | {"person.erase"}:
                continue
            chosen = {name: options[0] for name, options in form.choices.items() if name not in form.values}
            words = {
                name: "because" for name, value in form.values.items() if name in {"reason", "words"} and value == [""]
            }
            chosen |= {name: value for name, value in form.buttons[:1] if name}
            words |= {"phone": "212 555 0199"} if endpoint == "patients.change_contact" else {}
            before = count()
            response = manager.client.post(urljoin(address, form.action), data={**form.values, **chosen, **words})
            refused = "wrong=" in response.headers.get("Location", "")
            if response.status_code in {200, 303} and "csrf_token" in form.values and not refused:
                seen.add(endpoint)
                done.add(endpoint)
                if count() == before and endpoint not in NOTHING_TO_NOTE:
                    unseen.append((endpoint, response.status_code))
            assert "/desk/sign-in" not in response.headers.get("Location", ""), endpoint
    assert unseen == [], unseen
    assert done >= {"person.export", "person.set_hold", "visit_link.renew", "frontdesk.settle_request", "mail.send_now"}


def test_whoever_is_shown_by_typing_is_noted(desk, life, count):
    desk.open("/desk/find")
    before = count()
    found = desk.client.post("/desk/find", data={**desk.page.forms[0].values, "q": "quixote 2/29"})
    assert (found.status_code, count()) == (200, before)
    assert desk.client.post("/desk/find", data={**desk.page.forms[0].values, "q": "quix"}).status_code == 303
    assert count() == before + 1


def test_what_is_refused_is_noted_with_what_was_asked_for(desk, staff, life, app):
    desk.open(f"/desk/patients/{life[0]}/erase")
    desk.open(f"/desk/patients/{UUID(int=5)}")
    clinician = staff(StaffRole.CLINICIAN)
    with app.app_context():
        visit_id = db.session.scalar(select(Appointment.id).where(Appointment.patient_id == life[0]))
    assert clinician.open(f"/desk/visit/{visit_id}").status == 404
    with app.app_context():
        noted = db.session.execute(
            select(AuditEntry.action, AuditEntry.subject, AuditEntry.screen).where(
                AuditEntry.action.in_(["refused", "not-found"])
            )
        ).all()
    assert [tuple(row) for row in noted] == [
        ("refused", f"asked:{life[0]}", "person.ask_erase"),
        ("not-found", f"asked:{UUID(int=5)}", "patients.show_patient"),
        ("not-found", f"asked:{visit_id}", "frontdesk.show_visit"),
    ]


def test_no_entry_holds_a_name_a_word_or_an_answer(app, life, manager, addresses):
    for _, address in addresses:
        manager.client.get(address)
    with app.app_context():
        rows = repr(db.session.execute(select(AuditEntry.subject, AuditEntry.details, AuditEntry.screen)).all())
    for words in (*SHOWS, NAME["name"], "jasmine", "blue room", "one-side", "neck"):
        assert words not in rows


class TestReading:
    def rows(self, page):
        return page.text.count("<tr><td>")

    def test_by_patient_through_all_records_and_lists(self, manager, life, diary):
        reference = diary.scalar(select(Appointment.reference).where(Appointment.patient_id == life[0]))
        page = manager.open(f"/desk/audit?patient={reference}")
        for action in ("booked", "patients-merged", "visit-seen", "note-written", "patients-found", "call-back-asked"):
            assert f"<td>{action}</td>" in page.text, action
        assert "slot-opened" not in page.text
        assert self.rows(page) < self.rows(manager.open("/desk/audit"))

    def test_by_screen(self, manager, life):
        page = manager.open("/desk/audit?screen=patients.merge")
        assert 0 < self.rows(page) < 5
        assert "patients-merged" in page.text

    def test_from_the_patient_s_page(self, manager, life):
        manager.open(f"/desk/patients/{life[0]}")
        assert self.rows(manager.open(manager.page.link("/desk/audit?patient="))) > 5

    def test_of_nobody_is_said_so(self, manager):
        page = manager.open("/desk/audit?patient=TST-XXXX-33")
        assert page.status == 422
        assert "There is no visit with this reference" in page.errors[0]
