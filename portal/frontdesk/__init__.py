"""The staff's screens."""

from flask import Flask

from portal.booking.forms import REACH_BY
from portal.core import chores
from portal.frontdesk import (
    caller_views,
    charts,
    confirming,
    day_views,
    diary_views,
    feed_views,
    find_views,
    ledger_mails,
    ledger_views,
    link_views,
    mail_views,
    mails,
    paper_views,
    patient_views,
    person_views,
    privacy,
    recent,
    refresh,
    refusals,
    setup_views,
    staff_views,
    times_views,
    trail_views,
    visit_actions,
    visit_page,
    waitlist_views,
    why_views,
)
from portal.frontdesk.words import (
    CHANGES,
    MARKS,
    NO_ADDRESS,
    STATES,
    closure_in_words,
    duration_in_words,
    rule_in_words,
    wall_in_words,
)
from portal.scheduling.queries import NoClinic
from portal.scheduling.remake import describe


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(rhythm=rule_in_words, closed=closure_in_words, changes=describe)
    app.jinja_env.filters.update(who=privacy.who, wall=wall_in_words)
    app.jinja_env.filters.update(
        duration=duration_in_words,
        share=charts.share_in_words,
        counted=charts.count_in_words,
        or_hidden=charts.part_in_words,
    )
    app.jinja_env.globals.update(
        recent_changes=recent.list_undoable, state_words=STATES, change_words=CHANGES, reach_words=dict(REACH_BY)
    )
    app.jinja_env.globals.update(is_masked=privacy.is_masked, mark_words=MARKS, note_state=refresh.note_state)
    app.jinja_env.globals.update(mark_of=confirming.mark_of, no_address=NO_ADDRESS)
    app.jinja_env.globals.update(keys_are_off=find_views.are_keys_off, can_still=visit_page.can_still)
    app.register_blueprint(day_views.blueprint)  # the one of views, with the diary
    app.register_blueprint(paper_views.blueprint)
    app.register_blueprint(visit_actions.blueprint)
    app.register_blueprint(find_views.blueprint)
    app.register_blueprint(waitlist_views.blueprint)
    app.register_blueprint(times_views.blueprint)
    app.register_blueprint(diary_views.blueprint)
    app.register_blueprint(feed_views.blueprint)
    app.register_blueprint(mail_views.blueprint)
    app.register_blueprint(caller_views.blueprint)
    app.register_blueprint(patient_views.blueprint)
    app.register_blueprint(person_views.blueprint)
    app.register_blueprint(link_views.blueprint)
    app.register_blueprint(why_views.blueprint)
    app.register_blueprint(setup_views.blueprint)
    app.register_blueprint(trail_views.blueprint)
    app.register_blueprint(staff_views.blueprint)
    app.register_blueprint(ledger_views.blueprint)
    app.register_error_handler(NoClinic, setup_views.explain_no_clinic)
    refusals.init_app(app)
    mails.init_app(app)
    ledger_mails.init_app()
    chores.register("monthly summaries", ledger_mails.queue_summaries)
