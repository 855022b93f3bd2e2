"""A visit whose buttons somebody at the desk presses, and the mail that has left."""

import pytest
from sqlalchemy import select

from portal.booking.models import Appointment
from portal.notifications.services import send_due_mail

DAY, BEGINS = "2026-11-20", "2026-11-20 09:00"
LATER = "2026-11-23 11:00"


class Press:
    """Somebody at the desk who looks at a visit and presses its buttons."""

    def __init__(self, person, diary, reference):
        self.person, self.diary = person, diary
        self.id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
        self.look()

    def sign_in(self):
        self.person.sign_in()
        self.look()

    @property
    def token(self):
        return self.person.open("/desk/").form.values["csrf_token"][0]

    def look(self):
        return self.person.open(f"/desk/visit/{self.id}")

    def press(self, path, **values):
        """Send the form of the page that leads there."""
        form = next(form for form in self.person.page.forms if form.action.endswith(path))
        return self.person.send(form, **values)

    def try_(self, path, **values):
        """Send what no button of the page sends."""
        return self.person.post(f"/desk/visit/{self.id}/{path}", {"csrf_token": self.token, **values})

    @property
    def visit(self):
        return self.diary.scalar(select(Appointment).where(Appointment.id == self.id))


@pytest.fixture
def made(desk, diary, book):
    return Press(desk, diary, book(BEGINS)[1])


@pytest.fixture
def sent(app, mail_server):
    """The subjects of all mail that has left by now."""

    def sent():
        with app.app_context():
            send_due_mail()
        return [mail.decode().split("Subject: ")[1].splitlines()[0] for mail in mail_server.received]

    return sent
