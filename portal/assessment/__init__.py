"""The headache assessment: questions and rules as data, one page a screen, a lane at the end."""

from flask import Flask

from portal.assessment import brief_views, cli, mails, resume_views, retention, services, views
from portal.assessment.models import ResumeLink
from portal.core import keys
from portal.core import retention as core_retention
from portal.referrals.pages import OwnPage, offer_pages


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.register_blueprint(resume_views.blueprint)
    app.register_blueprint(brief_views.blueprint)
    mails.init_app()
    offer_pages("assessment", lambda: [OwnPage("/assessment/", "Headache check")])
    keys.rehash_with(ResumeLink, _hash_code_of)
    core_retention.register(retention.UNFINISHED, retention.WITHOUT_VISIT, retention.LINKS)
    app.cli.add_command(cli.assess)
    app.cli.add_command(cli.rules)


def _hash_code_of(link: ResumeLink) -> dict[str, str | None]:
    return {"code_hash": services.hash_code(link.secrets["code"])}
