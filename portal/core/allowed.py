"""How often what may be done: every number in one place. `portal/limits.py` says which page has which.

What is counted is what is done (a visit booked, a mail caused), or what is tried where a try itself is the abuse (a
code, a date of birth). The numbers are far above what people do, also where a clinic, a campus or a mobile network
shares one address; `docs/decisions/0010-limits.md` says why each is what it is.
"""

from __future__ import annotations

from datetime import timedelta

from portal.core.limits import Limit

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OF_THE_MAILBOX = "Many forms were sent today with this e-mail address."
OF_THE_PHONE = "Many forms were sent today with this phone number."

# What one source sends, right or wrong
POSTS = Limit("posts", 6000, timedelta(minutes=10), step=50)
CODES_TRIED = Limit("codes tried", 20, HOUR, guess=True)
BIRTH_DATES_TRIED = Limit("birth dates tried", 30, HOUR, guess=True)
SIGN_IN_POSTS = Limit("posts to sign in", 300, HOUR)
WRONG_LINKS = Limit("links that lead nowhere", 60, HOUR, guess=True)

# What one source gets
HOLDS_OF_SOURCE = Limit("times held", 20, timedelta(minutes=10))
BOOKINGS_OF_SOURCE = Limit("visits booked by one source", 120, HOUR)
REQUESTS_OF_SOURCE = Limit("requests of one source", 60, HOUR)
RESUME_MAILS_OF_SOURCE = Limit("resume mails of one source", 60, HOUR)

# What one person, mailbox or phone gets, whoever sends it
MAILS_TO_MAILBOX = Limit("mails caused by forms", 20, DAY, OF_THE_MAILBOX)
RESUME_MAILS = Limit("resume mails to a mailbox", 4, DAY, OF_THE_MAILBOX)
BOOKINGS_OF_MAILBOX = Limit("visits booked with a mailbox", 10, DAY, OF_THE_MAILBOX)
BOOKINGS_OF_PHONE = Limit("visits booked with a phone", 10, DAY, OF_THE_PHONE)
REQUESTS_FOR_PHONE = Limit("requests to call a phone", 6, DAY, OF_THE_PHONE)
CHANGES_FOR_MAILBOX = Limit("changes of visits told to a mailbox", 24, DAY, OF_THE_MAILBOX)
CHANGES_OF_VISIT = Limit("changes of a visit", 12, DAY, "This visit was changed many times today.")
ADDRESSES_OF_VISIT = Limit("corrected addresses of a visit", 3, DAY, "This address was corrected several times.")
OFFERS_TO_MAILBOX = Limit("earlier times offered to a mailbox", 8, DAY)

# What all together do: nobody is refused for it, but from some point on a proof is asked for
ALL_BOOKINGS = Limit("visits booked by anybody", 10**6, HOUR)
ALL_REQUESTS = Limit("requests of anybody", 10**6, HOUR)
ALL_RESUME_MAILS = Limit("resume mails of anybody", 10**6, HOUR)

# Proofs
FAST_FORMS = Limit("forms sent faster than people type", 10**6, HOUR)
MOST_FAST_FORMS = 40
PROOF_USED = Limit("uses of a proof", 2, timedelta(hours=2))  # two, for whoever presses the button twice
WAITED_INSTEAD = Limit("waits in place of a proof", 20, HOUR)
