"""The features, in the order in which each finds what it stands on."""

from portal import (
    accounts,
    assessment,
    audit,
    booking,
    education,
    frontdesk,
    home,
    interop,
    notifications,
    operations,
    referrals,
    scheduling,
)

FEATURES = (
    audit,
    accounts,
    notifications,
    referrals,
    education,
    scheduling,
    assessment,
    booking,
    home,
    interop,
    operations,
    frontdesk,
)
