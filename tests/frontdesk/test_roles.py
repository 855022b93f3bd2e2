"""Role by action: every route of the desk, every method, asked for by everybody."""

from uuid import UUID

import pytest

from portal.access import POLICIES
from portal.accounts.services import StaffRole, disable_staff

# What clinicians may use: their own days and visits, and what belongs to working at a screen.
CLINICIANS = {
    *("screen.lock", "screen.note_use", "security.mf_recovery_codes"),
    *("find.show_find", "find.find", "find.show_keys", "find.switch_keys"),
    *("frontdesk.show_today", "frontdesk.go_to_day", "frontdesk.show_day", "frontdesk.show_week"),
    *("frontdesk.show_month", "frontdesk.serve_scale", "frontdesk.toggle_mask", "paper.print_sheets"),
    *("frontdesk.show_visit", "frontdesk.show_brief", "frontdesk.download_brief"),
    *("visit_actions.set_status", "visit_actions.write_note", "visit_actions.undo"),
    *("ledger.list_links", "ledger.show_link", "ledger.show_qr", "ledger.print_sheet"),
}
# What only managers may use: the set-up, accounts, exports, the ledger. All else is the front desk's too.
MANAGERS_ONLY = {
    *("setup.show_setup", "setup.show_clinic", "setup.save_clinic", "setup.list_entries", "setup.add_entry"),
    *("setup.show_entry", "setup.save_entry", "staff.list_staff", "staff.invite", "staff.show_member"),
    *("staff.change_member", "staff.close_member", "staff.invite_anew", "paper.ask_export", "paper.export_visits"),
    *("diary.list_availability", "diary.add_availability", "diary.show_availability", "diary.replace_availability"),
    *("diary.end_availability", "feeds.list_feeds", "feeds.renew", "feeds.revoke", "frontdesk.show_drop_off"),
    *("person.export", "person.set_hold", "person.lift_hold", "person.ask_erase", "person.erase"),
    *("trail.show_trail", "ledger.show_ledger", "ledger.download_ledger", "ledger.make_link", "ledger.change_link"),
}
ENDS_THE_SESSION = {"screen.lock"}
VALUES = {"day": "2026-11-18", "month": "2026-11", "section": "places"}


@pytest.fixture
def engine():
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def actions(app):
    """Each route that needs somebody signed in, with each of its methods: endpoint, method, an address of it."""
    found = []
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("127.0.0.1:8000")
        for rule in app.url_map.iter_rules():
            if POLICIES[rule.endpoint]:
                values = {name: _value(name, converter) for name, converter in rule._converters.items()}
                for method in sorted(rule.methods & {"GET", "POST"}):
                    found.append((rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)))
    return sorted(found, key=lambda action: action[0] in ENDS_THE_SESSION)


def _value(name, converter):
    kind = type(converter).__name__
    return {"UUIDConverter": UUID(int=0), "IntegerConverter": 999}.get(kind, VALUES.get(name, "nothing"))


def ask(person, method, address):
    """What somebody gets who asks for that; a form is sent with the token that it needs."""
    if method == "GET":
        return person.client.get(address, follow_redirects=False)
    token = person.open("/desk/find").form.values["csrf_token"]
    return person.client.post(address, data={"csrf_token": token}, follow_redirects=False)


@pytest.mark.parametrize("role", list(StaffRole))
def test_a_role_does_what_is_its_own_and_nothing_else(staff, actions, role):
    person, wrong = staff(role), []
    for endpoint, method, address in actions:
        allowed = (
            endpoint in CLINICIANS
            if role == StaffRole.CLINICIAN
            else role == StaffRole.MANAGER or endpoint not in MANAGERS_ONLY
        )
        status = ask(person, method, address).status_code
        if (status == 403) == allowed or status >= 500:
            wrong.append((endpoint, method, status))
    assert wrong == []


def test_who_has_not_signed_in_is_asked_to(visitor, actions):
    open_ = [
        (endpoint, method)
        for endpoint, method, address in actions
        if "/desk/sign-in" not in ask(visitor, method, address).headers.get("Location", "")
    ]
    assert open_ == []


def test_a_closed_account_does_nothing_any_more(app, staff, actions):
    person = staff(StaffRole.MANAGER)
    with app.app_context():
        disable_staff("manager@clinic.example")
    for endpoint, method, address in actions:
        assert "/desk/sign-in" in ask(person, method, address).headers.get("Location", ""), endpoint
