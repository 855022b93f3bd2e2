"""The choice of colours."""

from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.core.forms import BaseForm

THEMES = (
    ("auto", "As my device"),
    ("light", "Light"),
    ("dark", "Dark"),
    ("dim", "Dim, for when light hurts"),
)


class DisplayForm(BaseForm):
    """Which colours to show, and the page to go back to."""

    theme = RadioField(
        "Colors",
        choices=[SelectChoice(value, label) for value, label in THEMES],
        validators=[InputRequired("Choose one of these.")],
    )
    back = HiddenField()
