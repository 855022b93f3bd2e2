"""The staff's screens."""

from flask import Flask

from portal.core import chores
from portal.frontdesk import charts, diary_views, feed_views, ledger_mails, ledger_views, mail_views, mails, views
from portal.frontdesk.words import closure_in_words, duration_in_words, rule_in_words
from portal.scheduling.remake import describe


def init_app(app: Flask) -> None:
    app.jinja_env.filters.update(
        rhythm=rule_in_words,
        closed=closure_in_words,
        changes=describe,
        duration=duration_in_words,
        share=charts.share_in_words,
        counted=charts.count_in_words,
        or_hidden=charts.part_in_words,
    )
    app.register_blueprint(views.blueprint)
    app.register_blueprint(diary_views.blueprint)
    app.register_blueprint(feed_views.blueprint)
    app.register_blueprint(mail_views.blueprint)
    app.register_blueprint(ledger_views.blueprint)
    mails.init_app(app)
    ledger_mails.init_app()
    chores.register("monthly summaries", ledger_mails.queue_summaries)
