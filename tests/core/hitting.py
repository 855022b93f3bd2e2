"""One of several processes that count hits of the same key at once: says how many were allowed."""

import sys
from datetime import timedelta

from flask import Flask

from portal import core
from portal.config import Settings
from portal.core.limits import Limit, count_hit

app = Flask("hitting")
core.init_app(app, Settings.from_environment())
with app.app_context():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    limit = Limit("at once", 20, timedelta(hours=1))
    sys.stdout.write(str(sum(count_hit(limit, "the same").allowed for _ in range(20))))
