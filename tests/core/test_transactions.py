"""One way to open a transaction: all of it happens or none, and a function called within joins."""

import pytest
from sqlalchemy import func, select

from portal.core.db import db, insert_once, transactional
from portal.referrals.links import save_link
from portal.referrals.models import Journey, ReferralLink
from portal.referrals.services import start_journey

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_failure_undoes_what_inner_functions_did():
    @transactional
    def outer():
        start_journey()
        start_journey()
        raise RuntimeError("after both")

    with pytest.raises(RuntimeError, match="after both"):
        outer()
    assert count(Journey) == 0


def test_a_row_that_stands_already_is_not_inserted_again():
    save_link("x", "label", "print", "/")

    @transactional
    def insert():
        return insert_once(ReferralLink, code="x", label="other", kind="print", destination="/", active=True)

    assert insert() is False
    assert db.session.get(ReferralLink, "x").label == "label"


def test_a_change_outside_a_transaction_is_a_fault_of_ours_and_found():
    db.session.add(ReferralLink(code="y", label="y", kind="print", destination="/"))
    with pytest.raises(RuntimeError, match="outside a transactional function"):
        start_journey()


def test_a_time_without_a_zone_cannot_be_stored():
    from datetime import datetime

    from sqlalchemy.exc import StatementError

    db.session.add(Journey(started_at=datetime(2026, 1, 1)))
    with pytest.raises(StatementError, match="without a zone"):
        db.session.flush()
