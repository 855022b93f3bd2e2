"""The portal for a web server of the tests, on the day that the tests' clinic lives in."""

import time_machine

from portal import create_app
from tests.conftest import NOW, with_quick_hashes

time_machine.travel(NOW, tick=True).start()
app = with_quick_hashes(create_app())
app.config["LIMITS_TIMES"] = 1000
