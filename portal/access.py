"""Who may use which page: one table, and nothing is open that it does not name."""

from __future__ import annotations

from collections.abc import Set

from flask import Flask, abort, request
from flask_htmx import make_response as make_htmx_response
from flask_login import current_user
from flask_security.decorators import default_unauthn_handler
from flask_security.utils import url_for_security
from werkzeug import Response

from portal.accounts.services import StaffRole
from portal.core.htmx import htmx

ANYONE: Set[StaffRole] = frozenset()
STAFF = frozenset(StaffRole)
MANAGERS = frozenset({StaffRole.MANAGER})

POLICIES: dict[str, Set[StaffRole]] = {
    "static": ANYONE,
    # Pages to read
    "home.show_home": ANYONE,
    "home.choose_display": ANYONE,
    "home.save_display": ANYONE,
    "home.serve_theme": ANYONE,
    "home.show_privacy": ANYONE,
    "home.show_alive": ANYONE,
    "home.show_ready": ANYONE,
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
    "booking.renew_hold": ANYONE,
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
    "waitlist.accept": ANYONE,
    "waitlist.decline": ANYONE,
    "waitlist.leave": ANYONE,
    # Signing in: Flask-Security guards each step itself
    "welcome.choose_password": ANYONE,  # whoever holds the link of an invitation
    "welcome.save_password": ANYONE,
    "security.login": ANYONE,
    "security.logout": ANYONE,
    "security.verify": ANYONE,
    "security.two_factor_setup": ANYONE,
    "security.two_factor_setup_validate": ANYONE,
    "security.two_factor_token_validation": ANYONE,
    "security.two_factor_rescue": ANYONE,
    "security.tf_select": ANYONE,
    "security.mf_recovery": ANYONE,
    "security.mf_recovery_codes": STAFF,
    # The desk
    "frontdesk.show_today": STAFF,
    "frontdesk.go_to_day": STAFF,
    "frontdesk.show_day": STAFF,
    "frontdesk.show_visit": STAFF,
    "frontdesk.show_brief": STAFF,
    "frontdesk.download_brief": STAFF,
    "frontdesk.list_requests": STAFF,
    "frontdesk.settle_request": STAFF,
    "frontdesk.allow_another": STAFF,
    "frontdesk.cancel_visit": STAFF,
    "frontdesk.undo_cancel": STAFF,
    "mail.list_troubled": STAFF,
    "mail.send_now": STAFF,
    "mail.withhold": STAFF,
    "mail.settle": STAFF,
    "mail.correct_address": STAFF,
    "diary.list_closures": STAFF,  # whoever takes the call that a clinician is ill closes the day
    "diary.close": STAFF,
    "diary.reopen": STAFF,
    "diary.list_availability": MANAGERS,
    "diary.add_availability": MANAGERS,
    "diary.end_availability": MANAGERS,
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
    "interop.show_sitemap": ANYONE,
    "interop.show_robots": ANYONE,
    "interop.show_calendar": ANYONE,  # whoever holds its address
    "interop.show_questionnaire": ANYONE,
    "interop.show_response": STAFF,
    # Development only; not registered in production
    "notifications.list_mail": ANYONE,
    "notifications.show_mail": ANYONE,
    "notifications.show_html": ANYONE,
    "notifications.preview": ANYONE,
    "notifications.preview_html": ANYONE,
}


class UndeclaredRoute(RuntimeError):
    """A route whose users nobody has named; the portal does not start with one."""


def init_app(app: Flask) -> None:
    """Enforce the table. Raises UndeclaredRoute for a route that is not in it."""
    undeclared = {rule.endpoint for rule in app.url_map.iter_rules()} - POLICIES.keys()
    if undeclared:
        raise UndeclaredRoute(f"say in portal/access.py who may use {', '.join(sorted(undeclared))}")
    app.before_request(check_access)


def check_access() -> Response | None:
    """Let the request through, send it to sign in, or refuse it."""
    roles = POLICIES.get(request.endpoint or "", ANYONE)
    if not roles:
        return None
    if not current_user.is_authenticated:
        if htmx:
            response: Response = make_htmx_response("", 401, redirect=url_for_security("login"))
            return response
        return default_unauthn_handler()  # type: ignore[no-untyped-call, no-any-return]
    if not any(current_user.has_role(role.value) for role in roles):
        abort(403)
    return None
