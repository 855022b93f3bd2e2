"""The ledger, the links and the monthly mail, as managers and the desk see them."""

import csv
import io
import re
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.core import chores
from portal.core.db import db, transactional
from portal.frontdesk.ledger_mails import queue_summaries
from portal.notifications.services import send_due_mail
from portal.referrals.models import DailyCount, ReferralLink
from portal.referrals.services import Reached

pytestmark = pytest.mark.both_engines

SCREENS = ["/desk/referrals", "/desk/referrals/ledger.csv", "/desk/drop-off"]
FOR_ALL_STAFF = [
    "/desk/referrals/links",
    "/desk/referrals/links/leaflet",
    "/desk/referrals/links/leaflet/qr.svg",
    "/desk/referrals/links/migraine/sheet.pdf",
]
PEOPLE = {"leaflet": (40, 12, 8), "partner": (20, 9, 6), "article": (3, 1, 1), "": (30, 10, 9)}
DAY = date(2026, 11, 17)


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


@transactional
def store_counts(day):
    """Of each link so many people, of whom so many booked, of whom so many came."""
    looked, booked = 3, 3 | Reached.BOOKED.bit
    for code, (people, bookings, came) in PEOPLE.items():
        for reached, count in ((looked, people - bookings), (booked, bookings - came), (booked | 128, came)):
            if count:
                row = {"day": day, "what": "journey", "link_code": code, "reached": reached, "count": count}
                db.session.add(DailyCount(**row))


@pytest.fixture
def counted(app, clock):
    with app.app_context():
        store_counts(DAY)


def fill_in(person, **typed):
    """Fill in the form about a link and send it."""
    return person.send(next(form for form in person.page.forms if "/referrals/links" in form.action), **typed)


def rows(page):
    """The cells of the last table, by the first one of each row."""
    table = page.text.rpartition("<tbody>")[2]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr>")[1:]]
    return {re.sub(r"\s*<small>.*", "", row[0]): row[1:] for row in cells}


def test_the_ledger_is_for_managers_and_the_links_are_for_all_staff(staff, manager, visitor):
    desk = staff(StaffRole.FRONT_DESK)
    for path in SCREENS:
        assert (manager.open(path).status, desk.open(path).status) == (200, 403)
        assert visitor.open(path).path == "/desk/sign-in"
    for path in FOR_ALL_STAFF:
        assert [who.client.get(path).status_code for who in (manager, desk, visitor)] == [200, 200, 302]
    token = desk.open("/desk/requests").form.values
    for path in ("/desk/referrals/links", "/desk/referrals/links/leaflet"):
        assert desk.post(path, token).status == 403
    assert "Make the link" not in desk.open("/desk/referrals/links").text


def test_the_ledger_shows_how_far_people_came_by_link_with_ranges_and_without_small_counts(manager, counted):
    page = manager.open("/desk/referrals")
    table = rows(page)
    people, booked, came = 0, 7, 8
    assert table["Printed leaflet"][people] == "40"
    assert table["Printed leaflet"][booked] == "12"
    assert table["Printed leaflet"][-1] == "30 % (18 % to 45 %)"
    hidden = table["Article: headaches from the neck"]
    assert {hidden[people], hidden[booked], hidden[came]} == {"hidden"}
    # The smallest other column is hidden with it, else it could be worked out from the sum above.
    assert table["Partner: a physiotherapist"][people] == "hidden"
    assert ">93<" in page.text
    assert "under 5" in page.text


@pytest.mark.parametrize("by", ["link", "kind", "last", "article", "source", "week"])
def test_every_grouping_adds_up_to_no_more_than_the_total_and_no_number_under_5_stands_anywhere(manager, counted, by):
    page = manager.open(f"/desk/referrals?by={by}")
    cells = [cell for row in rows(page).values() for cell in row[:-1]]
    assert all(cell == "hidden" or int(cell) >= 5 for cell in cells)
    assert sum(int(row[0]) for row in rows(page).values() if row[0] != "hidden") <= 93


def test_the_charts_are_drawn_here_and_say_what_they_are(manager, counted):
    text = manager.open("/desk/referrals").text
    drawings = re.findall(r"<svg class=\"chart\".*?</svg>", text, re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        assert re.search(r'role="img" aria-labelledby="([\w-]+)">\s*<title id="\1">\w+', drawing)
        assert "style=" not in drawing


def test_the_range_is_whole_weeks_and_a_wrong_one_is_explained(manager, counted):
    page = manager.open("/desk/referrals?since=2026-11-18&until=2026-11-18")
    assert "Monday, November 16, 2026 to Sunday, November 22, 2026" in page.text
    assert "Printed leaflet" in rows(page)
    assert rows(manager.open("/desk/referrals?since=2026-11-01&until=2026-11-08")).keys() == {"Nobody in these weeks."}
    page = manager.open("/desk/referrals?since=2026-11-18&until=2026-11-01")
    assert page.status == 422
    assert page.errors == ["The last day must not be before the first."]
    for nonsense in ("since=x&until=y&by=z", "since=0001-01-01", "until=9999-12-31", "by=%00"):
        assert manager.open(f"/desk/referrals?{nonsense}").status in {200, 422}
        assert manager.open(f"/desk/referrals/ledger.csv?{nonsense}").status == 200


def test_the_file_says_what_the_table_says_and_holds_no_formula(manager, counted, app):
    with app.app_context():
        db.session.get(ReferralLink, "leaflet").label = "=HYPERLINK(1)"
        db.session.commit()
    response = manager.client.get("/desk/referrals/ledger.csv?by=link")
    assert response.content_type == "text/csv; charset=utf-8"
    assert "attachment" in response.headers["Content-Disposition"]
    found = {row[1]: row for row in csv.reader(io.StringIO(response.text.lstrip("\ufeff")))}
    assert found["leaflet"][:3] == ["'=HYPERLINK(1)", "leaflet", "40"]
    assert found["leaflet"][-3:] == ["0.3", "0.1807", "0.4543"]
    assert found["article"][2] == "hidden"


def test_each_look_is_in_the_audit_trail(manager, counted, app):
    manager.open("/desk/referrals")
    with app.app_context():
        last = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (last.action, last.details) == ("ledger-seen", {"since": "2026-08-24", "until": "2026-11-22"})


class TestLinks:
    def test_a_manager_makes_one_and_it_works_at_once(self, manager, visitor, app):
        manager.open("/desk/referrals/links")
        page = fill_in(manager, label="Spring fair, Café Ü", kind="campaign", destination="/articles/migraine")
        assert page.path == "/desk/referrals/links/spring-fair-cafe-u"
        assert visitor.open("/r/Spring-Fair-Cafe-U").path == "/articles/migraine"

    @pytest.mark.parametrize("code", ["", "sun"])
    def test_one_sent_twice_is_one(self, manager, code):
        for _ in range(2):
            manager.open("/desk/referrals/links")
            page = fill_in(manager, label="Sun Magazine", kind="print", destination="/", code=code)
            assert page.path == f"/desk/referrals/links/{code or 'sun-magazine'}"

    def test_it_begins_and_ends_by_the_clinics_clocks_and_can_be_turned_off(self, manager, visitor, clock):
        manager.open("/desk/referrals/links")
        page = fill_in(manager, label="Fair", kind="print", destination="/", starts="2026-11-19", ends="2026-11-20")
        for moment, path in (
            ("2026-11-19T04:59:59", "/r/"), ("2026-11-19T05:00:00", "/"),
            ("2026-11-21T04:59:59", "/"), ("2026-11-21T05:00:00", "/r/"),
        ):  # fmt: skip
            clock.move_to(datetime.fromisoformat(moment).replace(tzinfo=UTC))
            assert visitor.open("/r/fair").path == path, moment
        clock.move_to(datetime(2026, 11, 20, 12, tzinfo=UTC))
        manager.sign_in()
        manager.open(page.path)
        fill_in(manager, kind="print", destination="/", active=[])
        assert visitor.open("/r/fair").path == "/r/"
        assert "This link is off." in manager.open(page.path).text

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"destination": "https://evil.example/"}, "Not a valid choice."),
            ({"destination": "/desk/"}, "Not a valid choice."),
            ({"label": ""}, "Say what this link is for."),
            ({"code": "Has Spaces"}, "Write small letters, digits and single hyphens only, like spring-fair."),
            ({"code": "leaflet"}, "Another link has this code. Choose another one, or leave it empty."),
            ({"code": "migraine"}, "Another link has this code. Choose another one, or leave it empty."),
            ({"starts": "2026-12-02", "ends": "2026-12-01"}, "The last day must not be before the first."),
        ],
    )
    def test_a_mistake_is_explained_and_nothing_typed_is_lost(self, manager, wrong, error):
        manager.open("/desk/referrals/links")
        page = fill_in(manager, **{"label": "Fair", "kind": "print", "destination": "/", "owner": "Jo", **wrong})
        assert (page.status, page.errors) == (422, [error])
        assert 'value="Jo"' in page.text

    def test_what_two_managers_change_at_once_is_lost_to_neither(self, manager):
        page = manager.open("/desk/referrals/links/leaflet")
        form = next(form for form in page.forms if form.action.endswith("/links/leaflet"))
        fill_in(manager, label="Leaflet at the desk", owner="Jo")
        page = manager.send(form, label="Leaflet in the hall")
        assert (page.status, "Somebody else changed this" in page.text) == (409, True)
        assert "Leaflet at the desk" in page.text
        fill_in(manager)
        page = manager.open("/desk/referrals/links/leaflet")
        form = next(form for form in page.forms if form.action.endswith("/links/leaflet"))
        assert (form.values["label"], form.values["owner"]) == (["Leaflet in the hall"], ["Jo"])

    def test_a_pages_own_link_follows_the_page(self, manager, visitor):
        visitor.open("/r/migraine")  # from now on it is a row as well
        page = manager.open("/desk/referrals/links/migraine")
        assert "the page’s own link" in page.text
        assert not any(form.action.endswith("/links/migraine") for form in page.forms)


class TestTheMonthlyMail:
    @pytest.fixture
    def october(self, app, clock, manager):
        with app.app_context():
            store_counts(date(2026, 10, 13))
        clock.move_to(datetime(2026, 11, 1, 12, 30, tzinfo=UTC))  # 7:30 in New York

    def test_tells_each_manager_once_of_the_month_before(self, app, october, staff, mail_server):
        staff(StaffRole.CLINICIAN)
        with app.app_context():
            assert [queue_summaries(), queue_summaries()] == [1, 0]
            send_due_mail()
        assert len(mail_server.received) == 1
        assert b"To: manager@clinic.example" in mail_server.received[0]
        text = mail_server.text()
        for fact in (
            "October 2026",
            "People: 93",
            "Booked: 32, 34 % (26 % to 45 %)",
            "- Printed leaflet: 40, 12, 8\r\n",
        ):
            assert fact in text
        assert "under 5" in text
        assert not re.search(r": [1-4]\b(?! %)", text)
        assert "http://127.0.0.1:8000/desk/referrals?since=2026-10-01&until=2026-10-31" in text

    @pytest.mark.parametrize("moment", ["2026-11-01T11:59:00", "2026-11-08T12:00:00", "2026-10-31T12:00:00"])
    def test_leaves_in_the_first_week_from_seven_in_the_morning(self, app, october, clock, moment):
        clock.move_to(datetime.fromisoformat(moment).replace(tzinfo=UTC))
        with app.app_context():
            assert queue_summaries() == 0

    def test_of_a_month_without_anybody_is_never_sent(self, app, manager, clock, mail_server):
        clock.move_to(datetime(2026, 11, 1, 12, 30, tzinfo=UTC))
        with app.app_context():
            assert queue_summaries() == 1
            send_due_mail()
        assert mail_server.received == []

    def test_is_on_the_rota_with_the_reduction(self, app):
        assert {"monthly summaries", "purge what is over"} <= chores.chores.keys()
