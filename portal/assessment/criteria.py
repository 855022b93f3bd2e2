"""The little language in which the clinical rules are declared.

A rule is a tree of these, so it can be evaluated, printed in words for a clinician, and checked against
the questionnaire, all from the one declaration.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

Ticks = Mapping[str, frozenset[str]]
NOTHING: frozenset[str] = frozenset()


class Fit(IntEnum):
    """How well the answers fit a headache pattern."""

    NONE = 0
    SOME = 1
    STRONG = 2


class Case(NamedTuple):
    """What a rule looks at: the options ticked for each question, and how well each pattern fits."""

    ticks: Ticks
    fits: Mapping[str, Fit] = {}


class Criterion(ABC):
    """A condition on a case; `&`, `|` and `~` join them."""

    @abstractmethod
    def holds(self, case: Case) -> bool:
        """Whether the condition is met."""

    @abstractmethod
    def words(self) -> str:
        """The condition for a clinician to read, with the ids of questions and options."""

    def parts(self) -> Iterator[Criterion]:
        """This condition and all within it."""
        yield self

    def __and__(self, other: Criterion) -> Criterion:
        return All((self, other))

    def __or__(self, other: Criterion) -> Criterion:
        return AtLeast(1, (self, other))

    def __invert__(self) -> Criterion:
        return Not(self)


@dataclass(frozen=True)
class Has(Criterion):
    """At least one of these options is ticked."""

    question: str
    options: frozenset[str]

    def holds(self, case: Case) -> bool:
        return not self.options.isdisjoint(case.ticks.get(self.question, NOTHING))

    def words(self) -> str:
        return " or ".join(f"`{option}`" for option in sorted(self.options))


@dataclass(frozen=True)
class Answered(Criterion):
    """The question has an answer; skipped and not asked are both no evidence."""

    question: str

    def holds(self, case: Case) -> bool:
        return bool(case.ticks.get(self.question))

    def words(self) -> str:
        return f"`{self.question}` answered"


@dataclass(frozen=True)
class Fits(Criterion):
    """A headache pattern fits at least this well."""

    pattern: str
    least: Fit = Fit.SOME

    def holds(self, case: Case) -> bool:
        return case.fits.get(self.pattern, Fit.NONE) >= self.least

    def words(self) -> str:
        return f"{self.pattern} at {self.least.name.lower()}" + (" or strong" if self.least == Fit.SOME else "")


@dataclass(frozen=True)
class All(Criterion):
    """Every one of these holds."""

    criteria: tuple[Criterion, ...]

    def holds(self, case: Case) -> bool:
        return all(criterion.holds(case) for criterion in self.criteria)

    def words(self) -> str:
        return " and ".join(_bracketed(criterion) for criterion in self.criteria)

    def parts(self) -> Iterator[Criterion]:
        yield self
        for criterion in self.criteria:
            yield from criterion.parts()

    def __and__(self, other: Criterion) -> Criterion:
        return All((*self.criteria, other))


@dataclass(frozen=True)
class AtLeast(Criterion):
    """So many of these hold."""

    count: int
    criteria: tuple[Criterion, ...]

    def holds(self, case: Case) -> bool:
        return sum(criterion.holds(case) for criterion in self.criteria) >= self.count

    def words(self) -> str:
        if self.count == 1:
            return " or ".join(_bracketed(criterion) for criterion in self.criteria)
        return f"{self.count} of {{" + "; ".join(criterion.words() for criterion in self.criteria) + "}"

    def parts(self) -> Iterator[Criterion]:
        yield self
        for criterion in self.criteria:
            yield from criterion.parts()

    def __or__(self, other: Criterion) -> Criterion:
        return AtLeast(1, (*self.criteria, other)) if self.count == 1 else super().__or__(other)


@dataclass(frozen=True)
class Not(Criterion):
    """This does not hold."""

    criterion: Criterion

    def holds(self, case: Case) -> bool:
        return not self.criterion.holds(case)

    def words(self) -> str:
        return f"not {_bracketed(self.criterion)}"

    def parts(self) -> Iterator[Criterion]:
        yield self
        yield from self.criterion.parts()


@dataclass(frozen=True)
class Named(Criterion):
    """A condition with a name of its own, such as "one-sided"; the name stands in the words."""

    name: str
    criterion: Criterion

    def holds(self, case: Case) -> bool:
        return self.criterion.holds(case)

    def words(self) -> str:
        return f"_{self.name}_"

    def parts(self) -> Iterator[Criterion]:
        yield self
        yield from self.criterion.parts()


def has(question: str, *options: str) -> Criterion:
    """At least one of these options of the question is ticked."""
    return Has(question, frozenset(options))


def at_least(count: int, *criteria: Criterion) -> Criterion:
    """So many of these hold."""
    return AtLeast(count, criteria)


def _bracketed(criterion: Criterion) -> str:
    alone = isinstance(criterion, Named | Answered | Fits | Not) or (
        isinstance(criterion, Has) and len(criterion.options) == 1
    )
    return (
        criterion.words()
        if alone or (isinstance(criterion, AtLeast) and criterion.count > 1)
        else f"({criterion.words()})"
    )
