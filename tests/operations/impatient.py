"""The portal as it is served, but giving up after one second, so that tests of failures are quick."""

from portal import create_app
from portal.core import db, outage

db.SQLITE_PRAGMAS = tuple("busy_timeout=1000" if "busy" in pragma else pragma for pragma in db.SQLITE_PRAGMAS)
db.LOCKS = "-c lock_timeout=1s"
outage.PAUSE = 0.5
app = create_app()
