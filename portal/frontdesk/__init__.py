"""The staff's screens."""

from flask import Flask

from portal.frontdesk import (
    diary_views,
    feed_views,
    mail_views,
    mails,
    recent,
    setup_views,
    staff_views,
    views,
    visit_actions,
)
from portal.frontdesk.words import CHANGES, STATES, closure_in_words, rule_in_words
from portal.scheduling.queries import NoClinic
from portal.scheduling.remake import describe


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(rhythm=rule_in_words, closed=closure_in_words, changes=describe)
    app.jinja_env.globals.update(recent_changes=recent.list_undoable, state_words=STATES, change_words=CHANGES)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(visit_actions.blueprint)
    app.register_blueprint(diary_views.blueprint)
    app.register_blueprint(feed_views.blueprint)
    app.register_blueprint(mail_views.blueprint)
    app.register_blueprint(setup_views.blueprint)
    app.register_blueprint(staff_views.blueprint)
    app.register_error_handler(NoClinic, setup_views.explain_no_clinic)
    mails.init_app(app)
