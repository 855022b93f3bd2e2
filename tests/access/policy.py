"""Who gets what, as the clinic would say it: the table that the walk over every route goes by."""

from __future__ import annotations

from portal.access import POLICIES

# What clinicians may use: their own days and visits, and what belongs to working at a screen.
CLINICIANS = {
    *("screen.lock", "screen.note_use", "recent.ask", "recent.confirm", "recent.use_passkey"),
    *("account.show", "account.ask_password", "account.change_password", "account.list_sessions"),
    *("account.end_session", "account.end_other_sessions", "second_step.choose", "second_step.begin_app"),
    *("second_step.show_app", "second_step.confirm_app", "second_step.remove_app"),
    *("second_step.renew_recovery_codes", "passkeys.ask", "passkeys.ask_to_make", "passkeys.add", "passkeys.remove"),
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
    *("staff.change_member", "staff.close_member", "staff.invite_anew", "staff.end_sessions"),
    *("staff.reset_second_step", "paper.ask_export", "paper.export_visits"),
    *("diary.list_availability", "diary.add_availability", "diary.show_availability", "diary.replace_availability"),
    *("diary.end_availability", "feeds.list_feeds", "feeds.renew", "feeds.revoke", "frontdesk.show_drop_off"),
    *("person.export", "person.set_hold", "person.lift_hold", "person.ask_erase", "person.erase"),
    *("trail.show_trail", "ledger.show_ledger", "ledger.download_ledger", "ledger.make_link", "ledger.change_link"),
}
# Of these a clinician sees the own ones only; a colleague's looks like one that does not exist.
OWN_ONLY = {
    *("frontdesk.show_visit", "frontdesk.show_brief", "frontdesk.download_brief"),
    *("visit_actions.set_status", "visit_actions.write_note", "visit_actions.undo"),
}
# One's own visit, changed by a colleague: a clinician undoes only what was the own doing.
NOT_ONES_OWN_DOING = {"visit_actions.undo"}
# Nothing stands behind the address, and yet the answer is no 404: the list, which says so, or the form once more.
SAYS_SO = {"diary.reopen", "frontdesk.settle_request"}

# Of one's own sessions and passkeys; what the walk names is nobody's. The own ones are tried in tests/accounts.
OF_ONES_ACCOUNT = {"account.end_session", "passkeys.remove"}

STAFF_ROUTES = {endpoint for endpoint, roles in POLICIES.items() if roles}
OPEN_ROUTES = POLICIES.keys() - STAFF_ROUTES

LET_IN, NOT_FOUND, REFUSED, SIGN_IN = "let in", "not found", "refused", "asked to sign in"


def expect(actor: str, endpoint: str, whose: str) -> str:
    """What somebody gets of a page of the desk about something own, foreign or missing."""
    if actor in {"nobody", "patient A", "patient C", "disabled"}:
        return SIGN_IN
    if endpoint in OF_ONES_ACCOUNT:
        return NOT_FOUND
    if actor in {"Ada", "Ben"}:
        if endpoint not in CLINICIANS:
            return REFUSED
        if whose == "foreign" and endpoint in OWN_ONLY:
            return NOT_FOUND
        if whose == "own" and endpoint in NOT_ONES_OWN_DOING:
            return REFUSED
    elif actor != "manager" and endpoint in MANAGERS_ONLY:
        return REFUSED
    return NOT_FOUND if whose == "missing" and endpoint not in SAYS_SO else LET_IN
