"""What the ledger costs over a million milestones on PostgreSQL: `make bench`.

Prints the median of everything that the page reads, for each grouping and over all of it. Exit status 1 when one
takes longer than 200 ms. The journeys are more than would ever stand there: those without a booking become daily
counts after 90 days.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from flask_migrate import upgrade
from sqlalchemy import text

from benchmarks.diary import SECRET, gather_statistics
from portal import create_app
from portal.config import Settings
from portal.core import clock
from portal.core.db import db, transactional
from portal.referrals import funnel, report
from portal.referrals.ledger import GROUPINGS, count_minutes_to_book, read_ledger
from portal.referrals.services import Reached
from tests.servers import PostgresServer, find_postgresql

MILESTONES, LINKS, WEEKS = 1_000_000, 60, 52
ROUNDS, TO_WARM_UP = 15, 3
LONGEST = 0.2  # seconds

# Everybody lands; each next point is reached by the more persistent ones, all of them by one in twelve.
JOURNEYS = f"""
INSERT INTO journey (id, started_at, day, link_code, last_link_code, article, source, reached, lane, minutes_to_book)
SELECT gen_random_uuid(), at, at::date, link, link, CASE WHEN n % 3 = 0 THEN 'article-' || n % 20 END,
       CASE WHEN n % 7 = 0 THEN 'site-' || n % 5 END, (1 << depth) - 1,
       CASE WHEN depth >= 4 THEN (ARRAY['consult', 'self_care', 'same_day', 'emergency'])[1 + n % 4] END,
       CASE WHEN depth >= 7 THEN floor(random() * 10000)::int END
FROM (SELECT n, 1 + floor(random() * 8)::int AS depth, 'link-' || n % {LINKS} AS link,
             CAST(:today AS timestamptz) - random() * interval '{WEEKS} weeks' AS at
      FROM generate_series(1, :count) n) AS journeys
"""
STEPS = f"""
INSERT INTO milestone (journey_id, kind, at)
SELECT id, (ARRAY[{", ".join(f"'{step}'" for step in Reached)}])[bit + 1], started_at + bit * interval '7 minutes'
FROM journey, generate_series(0, 7) bit WHERE reached & (1 << bit) <> 0
"""


def main() -> int:
    logging.disable(logging.INFO)  # what the migrations say
    programs = find_postgresql()
    if programs is None:
        print("PostgreSQL is not installed: there is nothing to measure.")
        return 0
    server = PostgresServer(programs)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            url = server.url(server.create_database())
            settings = Settings(data_dir=Path(folder), database_url=url, secret_key=SECRET, encryption_keys=(SECRET,))
            with create_app(settings).app_context():
                upgrade()
                print(f"\n{build():,} milestones on PostgreSQL")
                gather_statistics()
                slowest = max(measure(by) for by in GROUPINGS)
                db.session.remove()
                db.engine.dispose()
    finally:
        server.stop()
    return int(slowest > LONGEST)


@transactional
def build() -> int:
    """Journeys of a year with their milestones; how many of these there are."""
    db.session.execute(
        text(
            "INSERT INTO referral_link (code, label, kind, destination, active, made_at)"
            " SELECT 'link-' || n, 'Link ' || n, (ARRAY['partner', 'print', 'clinician', 'campaign'])[1 + n % 4], '/',"
            f" true, now() FROM generate_series(0, {LINKS - 1}) n"
        )
    )
    average = (1 + len(Reached)) / 2
    db.session.execute(text(JOURNEYS), {"count": int(MILESTONES / average * 1.01), "today": clock.now()})
    db.session.execute(text(STEPS))
    return db.session.scalar(text("SELECT count(*) FROM milestone")) or 0


def measure(by: str) -> float:
    """The median of what the page takes for that grouping, in seconds; prints it."""
    until = clock.now().date()
    took = [_read_all(by, until - timedelta(weeks=WEEKS), until) for _ in range(TO_WARM_UP + ROUNDS)][TO_WARM_UP:]
    print(f"by {by:8}{median(took) * 1000:8.0f} ms{'' if median(took) <= LONGEST else '  too long'}")
    return median(took)


def _read_all(by: str, since: date, until: date) -> float:
    db.session.rollback()
    begin = time.perf_counter()
    assert report.list_lines(read_ledger(since, until, by))
    assert funnel.quartiles(count_minutes_to_book(since, until))
    return time.perf_counter() - begin


if __name__ == "__main__":
    sys.exit(main())
