"""The portal as it is served, but giving up after one second, so that tests of failures are quick."""

from portal import create_app
from portal.core import db, outage

db.PATIENCE = 1
db.LOCKS = "-c lock_timeout=1s"
outage.PAUSE = 0.5
app = create_app()
