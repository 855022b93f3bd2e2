"""Who may use which page: one table, and nothing is open that it does not name."""

from __future__ import annotations

from collections.abc import Set

from flask import Flask, abort, request
from flask_login import current_user
from werkzeug import Response

from portal.accounts import gate, sessions, shared_screen
from portal.accounts.services import StaffRole

ANYONE: Set[StaffRole] = frozenset()
STAFF = frozenset(StaffRole)
FRONT_DESK = frozenset({StaffRole.FRONT_DESK, StaffRole.MANAGER})
MANAGERS = frozenset({StaffRole.MANAGER})

POLICIES: dict[str, Set[StaffRole]] = {
    "static": ANYONE,
    # Pages to read
    "home.show_home": ANYONE,
    "home.choose_display": ANYONE,
    "home.save_display": ANYONE,
    "home.serve_theme": ANYONE,
    "home.show_privacy": ANYONE,
    "education.list_articles": ANYONE,
    "education.show_article": ANYONE,
    "education.show_feed": ANYONE,
    "education.show_card": ANYONE,
    "education.list_treatments": ANYONE,
    "education.show_treatment": ANYONE,
    "education.search": ANYONE,
    "scheduling.list_specialists": ANYONE,
    "referrals.follow_link": ANYONE,
    "referrals.show_ended": ANYONE,
    # The assessment: each browser sees its own journey's, by its signed cookie
    "assessment.show_start": ANYONE,
    "assessment.start": ANYONE,
    "assessment.continue_": ANYONE,
    "assessment.show_question": ANYONE,
    "assessment.answer_question": ANYONE,
    "assessment.check_answers": ANYONE,
    "assessment.finish": ANYONE,
    "assessment.show_result": ANYONE,
    "assessment.check_danger": ANYONE,
    "assessment.confirm_danger": ANYONE,
    "resume.show_pause": ANYONE,
    "resume.send_link": ANYONE,
    "resume.show_sent": ANYONE,
    "resume.enter_code": ANYONE,
    "resume.use_code": ANYONE,
    "resume.show_link": ANYONE,
    "resume.use_link": ANYONE,
    "brief.show_brief": ANYONE,
    "brief.download_brief": ANYONE,
    # Booking: likewise
    "booking.choose_slot": ANYONE,
    "booking.hold_slot": ANYONE,
    "booking.show_safety": ANYONE,
    "booking.answer_safety": ANYONE,
    "booking.enter_details": ANYONE,
    "booking.save_details": ANYONE,
    "booking.check_booking": ANYONE,
    "booking.book": ANYONE,
    "booking.show_confirmation": ANYONE,
    "booking.ask_address": ANYONE,
    "booking.correct_address": ANYONE,
    "booking.renew_hold": ANYONE,
    "booking.begin_anew": ANYONE,
    "requests.ask_call_back": ANYONE,
    "requests.save_call_back": ANYONE,
    "requests.ask_time": ANYONE,
    "requests.save_time": ANYONE,
    "refer.show_choices": ANYONE,
    "refer.make_link": ANYONE,
    "refer.show_link": ANYONE,
    "refer.show_qr": ANYONE,
    "refer.print_sheet": ANYONE,
    "refer.ask_patient": ANYONE,
    "refer.refer_patient": ANYONE,
    "refer.show_thanks": ANYONE,
    # One visit: whoever holds its link; without it each of these is a 404
    "visit.show_visit": ANYONE,
    "visit.download_calendar": ANYONE,
    "visit.choose_cancel": ANYONE,
    "visit.cancel": ANYONE,
    "visit.undo_cancel": ANYONE,
    "visit.choose_time": ANYONE,
    "visit.move": ANYONE,
    "visit.show_attack_help": ANYONE,
    "visit.use_attack_help": ANYONE,
    "visit.ask_birth_date": ANYONE,
    "visit.show_brief": ANYONE,
    "visit.show_earlier": ANYONE,
    "visit.join_or_leave_waitlist": ANYONE,
    "waitlist.show_offer": ANYONE,
    "waitlist.answer": ANYONE,
    "waitlist.accept": ANYONE,
    "waitlist.decline": ANYONE,
    "waitlist.leave": ANYONE,
    # Signing in: each step asks for the one before
    "welcome.choose_password": ANYONE,  # whoever holds the link of an invitation
    "welcome.save_password": ANYONE,
    "sign_in.show": ANYONE,
    "sign_in.sign_in": ANYONE,
    "sign_in.use_passkey": ANYONE,
    "sign_in.ask_code": ANYONE,
    "sign_in.check_code": ANYONE,
    "sign_in.ask_recovery_code": ANYONE,
    "sign_in.use_recovery_code": ANYONE,
    "sign_in.sign_out": ANYONE,
    "passkeys.ask_to_use": ANYONE,
    # One's own account
    "account.show": STAFF,
    "account.ask_password": STAFF,
    "account.change_password": STAFF,  # asks for the password itself
    "account.list_sessions": STAFF,
    "account.end_session": STAFF,
    "account.end_other_sessions": STAFF,
    "second_step.choose": STAFF,
    "second_step.begin_app": STAFF,
    "second_step.show_app": STAFF,
    "second_step.confirm_app": STAFF,
    "second_step.remove_app": STAFF,
    "second_step.renew_recovery_codes": STAFF,
    "passkeys.ask": STAFF,
    "passkeys.ask_to_make": STAFF,
    "passkeys.add": STAFF,
    "passkeys.remove": STAFF,
    "recent.ask": STAFF,
    "recent.confirm": STAFF,
    "recent.use_passkey": STAFF,
    # The desk
    "screen.lock": STAFF,
    "screen.note_use": STAFF,
    "times.change": FRONT_DESK,
    "times.ask_open": FRONT_DESK,
    "times.open_extra": FRONT_DESK,
    "waitlist_desk.show_list": FRONT_DESK,
    "waitlist_desk.offer": FRONT_DESK,
    "find.show_find": STAFF,
    "find.find": STAFF,
    "find.show_keys": STAFF,
    "find.switch_keys": STAFF,
    "frontdesk.show_today": STAFF,
    "frontdesk.go_to_day": STAFF,
    "frontdesk.show_day": STAFF,
    "frontdesk.show_week": STAFF,
    "frontdesk.show_month": STAFF,
    "frontdesk.serve_scale": STAFF,
    "frontdesk.toggle_mask": STAFF,
    "paper.print_sheets": STAFF,
    "paper.ask_export": MANAGERS,
    "paper.export_visits": MANAGERS,
    "frontdesk.show_visit": STAFF,
    "frontdesk.show_brief": STAFF,
    "frontdesk.download_brief": STAFF,
    "frontdesk.list_requests": FRONT_DESK,
    "frontdesk.settle_request": FRONT_DESK,
    "frontdesk.reopen_request": FRONT_DESK,
    "visit_actions.set_status": STAFF,  # clinicians: in the room, and done, of their own visits
    "visit_actions.write_note": STAFF,
    "visit_actions.undo": STAFF,  # clinicians: what they did themselves
    "visit_actions.move_visit": FRONT_DESK,
    "visit_actions.cancel_visit": FRONT_DESK,
    "visit_actions.allow_another": FRONT_DESK,
    "visit_actions.correct_address": FRONT_DESK,
    "callers.open_call": FRONT_DESK,
    "callers.take_step": FRONT_DESK,
    "callers.show_done": FRONT_DESK,
    "patients.show_patient": FRONT_DESK,  # clinicians see their own patients, with each visit
    "patients.change_contact": FRONT_DESK,
    "patients.compare": FRONT_DESK,
    "patients.merge": FRONT_DESK,
    "patients.undo_merge": FRONT_DESK,
    "person.export": MANAGERS,
    "person.set_hold": MANAGERS,
    "person.lift_hold": MANAGERS,
    "person.ask_erase": MANAGERS,
    "person.erase": MANAGERS,
    "visit_link.renew": FRONT_DESK,
    "visit_link.end": FRONT_DESK,
    "why.explain": FRONT_DESK,
    "mail.list_troubled": FRONT_DESK,
    "mail.send_now": FRONT_DESK,
    "mail.withhold": FRONT_DESK,
    "mail.settle": FRONT_DESK,
    "mail.decide_held": FRONT_DESK,
    "diary.list_closures": FRONT_DESK,  # whoever takes the call that a clinician is ill closes the day
    "diary.close": FRONT_DESK,
    "diary.reopen": FRONT_DESK,
    "diary.list_availability": MANAGERS,
    "diary.add_availability": MANAGERS,
    "diary.end_availability": MANAGERS,
    "diary.show_availability": MANAGERS,
    "diary.replace_availability": MANAGERS,
    "trail.show_trail": MANAGERS,
    "setup.show_setup": MANAGERS,
    "setup.show_clinic": MANAGERS,
    "setup.save_clinic": MANAGERS,
    "setup.list_entries": MANAGERS,
    "setup.add_entry": MANAGERS,
    "setup.show_entry": MANAGERS,
    "setup.save_entry": MANAGERS,
    "staff.list_staff": MANAGERS,
    "staff.invite": MANAGERS,
    "staff.show_member": MANAGERS,
    "staff.change_member": MANAGERS,
    "staff.close_member": MANAGERS,
    "staff.invite_anew": MANAGERS,
    "staff.end_sessions": MANAGERS,
    "staff.reset_second_step": MANAGERS,
    "feeds.list_feeds": MANAGERS,
    "feeds.renew": MANAGERS,
    "feeds.revoke": MANAGERS,
    "frontdesk.show_drop_off": MANAGERS,
    "ledger.show_ledger": MANAGERS,
    "ledger.download_ledger": MANAGERS,
    "ledger.make_link": MANAGERS,
    "ledger.change_link": MANAGERS,
    "ledger.list_links": STAFF,  # whoever is asked for a QR code prints it
    "ledger.show_link": STAFF,
    "ledger.show_qr": STAFF,
    "ledger.print_sheet": STAFF,
    # For machines
    "operations.show_alive": ANYONE,
    "operations.show_ready": ANYONE,
    "interop.show_sitemap": ANYONE,
    "interop.show_robots": ANYONE,
    "interop.show_security": ANYONE,
    "interop.find_password_page": ANYONE,
    "interop.show_calendar": ANYONE,  # whoever holds its address
    "interop.show_questionnaire": ANYONE,
    "interop.show_response": FRONT_DESK,
    # Development only; not registered in production
    "notifications.list_mail": ANYONE,
    "notifications.show_mail": ANYONE,
    "notifications.show_html": ANYONE,
    "notifications.preview": ANYONE,
    "notifications.preview_html": ANYONE,
}

# What asks to sign in once more if that was over 15 minutes ago: what takes many patients away as a file or on paper,
# what changes who may come in, and what makes keys.
RECENT_SIGN_IN = {
    *("paper.print_sheets", "paper.export_visits", "ledger.download_ledger", "person.export", "person.erase"),
    *("staff.invite", "staff.change_member", "staff.close_member", "staff.invite_anew"),
    *("staff.end_sessions", "staff.reset_second_step", "feeds.renew", "feeds.revoke"),
    *("second_step.begin_app", "second_step.show_app", "second_step.confirm_app", "second_step.remove_app"),
    *("second_step.renew_recovery_codes", "passkeys.ask", "passkeys.ask_to_make", "passkeys.add", "passkeys.remove"),
}
# What is open to whoever must set up a second step first.
BEFORE_SECOND_STEP = {
    *("second_step.choose", "second_step.begin_app", "second_step.show_app", "second_step.confirm_app"),
    *("passkeys.ask", "passkeys.ask_to_make", "passkeys.add", "screen.lock", "screen.note_use"),
    *("recent.ask", "recent.confirm", "recent.use_passkey"),
}


class UndeclaredRoute(RuntimeError):
    """A route whose users nobody has named; the portal does not start with one."""


def init_app(app: Flask) -> None:
    """Enforce the table. Raises UndeclaredRoute for a route that is not in it."""
    undeclared = {rule.endpoint for rule in app.url_map.iter_rules()} - POLICIES.keys()
    if undeclared:
        raise UndeclaredRoute(f"say in portal/access.py who may use {', '.join(sorted(undeclared))}")
    app.before_request(check_access)
    app.jinja_env.globals["may_use"] = may_use


def may_use(endpoint: str) -> bool:
    """Whether whoever is signed in may use a page: what a role cannot do is not shown to it."""
    roles = POLICIES[endpoint]
    return not roles or any(current_user.has_role(role.value) for role in roles)


def check_access() -> Response | None:
    """Let the request through, ask who is there, or refuse it."""
    endpoint = request.endpoint or ""
    if not POLICIES.get(endpoint, ANYONE):
        return None
    if not current_user.is_authenticated:
        return gate.ask_to_sign_in()
    if endpoint not in BEFORE_SECOND_STEP and shared_screen.needs_second_step():
        return gate.ask_for_second_step()
    if not may_use(endpoint):
        abort(403)
    if endpoint in RECENT_SIGN_IN and not sessions.is_recent(shared_screen.current_session()):
        return gate.ask_to_confirm()
    return None
