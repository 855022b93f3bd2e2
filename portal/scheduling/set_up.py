"""The clinic's set-up as a whole: small, asked for on every page of free times, changed once a month."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.db import db
from portal.core.kept import kept
from portal.scheduling.models import Clinic, Location, Mode, Provider, VisitType


class NoClinic(LookupError):
    """The database holds no clinic yet."""

    def __init__(self) -> None:
        super().__init__("load a clinic first: flask clinic load FILE")


@dataclass(frozen=True, eq=False)
class SetUp:
    """The clinic, and its places, clinicians and types of visit by id, also those no longer in use.

    To read only: it belongs to no session.
    """

    clinic: Clinic
    all_locations: dict[int, Location]
    all_providers: dict[int, Provider]
    all_types: dict[int, VisitType]

    @property
    def locations(self) -> list[Location]:
        """The places in use, by name."""
        return [place for place in self.all_locations.values() if place.active]

    @property
    def providers(self) -> list[Provider]:
        """The clinicians who see people, by name."""
        return [provider for provider in self.all_providers.values() if provider.active]

    @property
    def types(self) -> list[VisitType]:
        """The types of visit in use, in the order in which they were set up."""
        return [type_ for type_ in self.all_types.values() if type_.active]

    @property
    def caps(self) -> dict[int, int]:
        """How many visits a day the clinicians have at most, where there is a most, by their ids."""
        people = self.all_providers.values()
        return {person.id: person.daily_cap for person in people if person.daily_cap is not None}

    @property
    def modes(self) -> list[Mode]:
        """The ways of meeting that can be booked online, in the order of their names."""
        return sorted({Mode(type_.mode) for type_ in self.types if type_.lanes})

    @property
    def phone_only_types(self) -> list[VisitType]:
        """The types of visit that nobody can book online; the desk does."""
        return [type_ for type_ in self.types if not type_.lanes]

    def bookable_types(self, lane: str | None, kind: str | None = None) -> list[VisitType]:
        """The types of visit that this lane may book online, of one kind or of any; the desk, without a lane, all."""
        return [type_ for type_ in self.types if lane in {None, *type_.lanes} and kind in {None, type_.kind}]


@kept
def get_set_up() -> SetUp:
    """The set-up as it was a moment ago. Raises NoClinic."""
    return read_set_up()


def read_set_up() -> SetUp:
    """The set-up as it is. Raises NoClinic."""
    with Session(db.engine) as session:
        clinic = session.get(Clinic, 1)
        if clinic is None:
            raise NoClinic
        return SetUp(
            clinic,
            {place.id: place for place in session.scalars(select(Location).order_by(Location.name))},
            {provider.id: provider for provider in session.scalars(select(Provider).order_by(Provider.name))},
            {type_.id: type_ for type_ in session.scalars(select(VisitType).order_by(VisitType.id))},
        )
