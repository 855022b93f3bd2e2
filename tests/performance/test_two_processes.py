"""Nothing of a journey is kept in a process: two of them serve it in turn, and nobody notices."""

from benchmarks.web_driver import Browser, walk
from benchmarks.web_people import Person
from portal.core.db import db
from tests.conftest import settings_environment
from tests.servers import web_server


def test_a_journey_whose_every_request_meets_another_process(app, settings):
    with app.app_context():
        db.engine.dispose()
    surroundings = settings_environment(settings)
    with web_server(surroundings) as one, web_server(surroundings) as other:
        person = Person(Browser("localhost"))
        walk(person.whole_journey(), [int(address.rpartition(":")[2]) for address in (one, other)])
    assert person.at == "/book/confirmed"
    assert 'data-outcome="booked"' in person.page
