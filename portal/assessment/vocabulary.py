"""Conditions that several rules share, under the names that clinicians use."""

from portal.assessment.criteria import Answered, Named, has
from portal.assessment.questionnaire import NONE, QUESTIONS, SHORT_ATTACKS

NEW = Named("new", has("timeline", "new_days", "new_weeks"))
CHANGED = Named("changed", has("timeline", "changed"))
STABLE = Named("stable", has("timeline", "stable"))
NEW_OR_CHANGED = Named("new or changed", NEW | CHANGED)

UNDER_18 = Named("under 18", has("age_band", "under_18"))
UNDER_50 = Named("under 50", has("age_band", "under_18", "18_49"))
OVER_50 = Named("50 or older", has("age_band", "50_64", "65_plus"))
OVER_65 = Named("65 or older", has("age_band", "65_plus"))

SEVERE = Named("severe", has("effect", "lie_down", "pace"))
MODERATE_OR_SEVERE = Named("moderate or severe", has("effect", "slowed", "lie_down", "pace"))
MILD = Named("carries on", has("effect", "carry_on"))

ONE_SIDED = Named("one-sided", has("pain_side", "same_side", "switches"))
SAME_SIDE = Named("always the same side", has("pain_side", "same_side"))
SHORT = Named("short attacks", SHORT_ATTACKS)

STEADILY_WORSE = has("headache_behaviour", "steadily_worse")
LYING_MORNING = has("headache_behaviour", "lying_morning")
UPRIGHT = has("headache_behaviour", "upright")
VISION_DIM = has("headache_behaviour", "vision_dim")
EXERTION = has("headache_behaviour", "exertion_sex")
PREGNANT = has("health_background", "pregnant")
IMMUNE = has("health_background", "immune")

BEHAVIOUR_FLAGS = QUESTIONS["headache_behaviour"].option_ids - {NONE}
BACKGROUND_FLAGS = QUESTIONS["health_background"].option_ids - {NONE}
ANY_BEHAVIOUR = Named("any sign on screen 5", has("headache_behaviour", *BEHAVIOUR_FLAGS))
ANY_BACKGROUND = Named("any condition on screen 4", has("health_background", *BACKGROUND_FLAGS))
BACKGROUND_CLEAR = Named("screen 4 answered with none", Answered("health_background") & ~ANY_BACKGROUND)
