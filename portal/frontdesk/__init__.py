"""The staff's screens."""

from flask import Flask

from portal.frontdesk import caller_views, diary_views, feed_views, mail_views, mails, patient_views, views, why_views
from portal.frontdesk.words import closure_in_words, rule_in_words
from portal.scheduling.remake import describe


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(rhythm=rule_in_words, closed=closure_in_words, changes=describe)
    app.register_blueprint(views.blueprint)
    app.register_blueprint(diary_views.blueprint)
    app.register_blueprint(feed_views.blueprint)
    app.register_blueprint(mail_views.blueprint)
    app.register_blueprint(caller_views.blueprint)
    app.register_blueprint(patient_views.blueprint)
    app.register_blueprint(why_views.blueprint)
    mails.init_app(app)
