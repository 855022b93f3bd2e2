"""What the rules make of a set of answers: the first lane with a rule that holds wins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from portal.assessment.answers import Answers, prune
from portal.assessment.criteria import Case, Fit, Ticks
from portal.assessment.patterns import PATTERNS, Pattern, explain_fit, fit_patterns
from portal.assessment.rules import EMERGENCY_DEPARTMENT, FLAGS, PLACES, RULES, RULES_VERSION, Lane, Place, Rule
from portal.assessment.vocabulary import UNDER_18


@dataclass(frozen=True)
class FittingPattern:
    """A pattern that fits the answers: how well, what speaks for it and what against, in the person's words."""

    pattern: Pattern
    fit: Fit
    found: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Evaluation:
    """What the rules make of a set of answers."""

    lane: Lane
    prompt: bool
    fired: tuple[Rule, ...]  # the most urgent place first
    patterns: tuple[FittingPattern, ...]  # best first
    flags: tuple[str, ...]
    tells_patterns: bool  # to the person: not of a child, nor where something dangerous may look like one of them

    @property
    def fits(self) -> dict[str, Fit]:
        """How well each pattern fits that fits at all."""
        return {fitting.pattern.id: fitting.fit for fitting in self.patterns}

    @property
    def place(self) -> Place | None:
        """The one place to go today: the most urgent that a rule names.

        Two that differ in what else would do have only the emergency department in common.
        """
        named = [place for place in PLACES if any(rule.see == place for rule in self.fired)]
        if sum(place.department for place in named) > 1:
            return EMERGENCY_DEPARTMENT
        return named[0] if named else None

    def to_json(self) -> dict[str, object]:
        """As `flask assess` writes it and as it is stored with the assessment."""
        return {
            "triage": self.lane.value,
            "prompt": self.prompt,
            "patterns": {id: fit.name.lower() for id, fit in self.fits.items()},
            "reasons": {
                "rules": [rule.id for rule in self.fired],
                "patterns": {p.pattern.id: {"for": list(p.found), "against": list(p.missing)} for p in self.patterns},
            },
            "flags": list(self.flags),
            "rules_version": RULES_VERSION,
        }


def evaluate(answers: Answers) -> Evaluation:
    """Lane, patterns and flags for these answers; what is skipped or not yet asked is no evidence.

    Pure: the same answers and version give the same result. Skipping one of screens 1 to 5 never gives a lane
    calmer than consult.
    """
    return _evaluate(frozenset(answers.items()))


@lru_cache(maxsize=256)  # a page asks several times for the same answers, and so does the page after it
def _evaluate(answers: frozenset[tuple[str, frozenset[str]]]) -> Evaluation:
    ticks = prune(dict(answers))
    fits = fit_patterns(ticks)
    case = Case(ticks, fits)
    holding = [rule for rule in RULES if rule.when.holds(case)]
    lane = next((lane for lane in Lane if any(rule.lane is lane for rule in holding)), Lane.SELF_CARE)
    fired = tuple(sorted((rule for rule in holding if rule.lane is lane), key=_urgency))
    flags = tuple(name for name, criterion in FLAGS.items() if criterion.holds(case))
    tells_patterns = lane.may_book and not UNDER_18.holds(case)
    return Evaluation(lane, any(rule.prompt for rule in fired), fired, _fitting(fits, ticks), flags, tells_patterns)


def _urgency(rule: Rule) -> int:
    return PLACES.index(rule.see) if rule.see else 0


def _fitting(fits: dict[str, Fit], ticks: Ticks) -> tuple[FittingPattern, ...]:
    fitting = [FittingPattern(p, fits[p.id], *explain_fit(p, ticks)) for p in PATTERNS if fits[p.id]]
    return tuple(sorted(fitting, key=lambda pattern: -pattern.fit))
