"""A page of questions as a form: every question is answered or skipped, never silently empty."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from wtforms import EmailField, Field, HiddenField, StringField, ValidationError
from wtforms.validators import InputRequired, Length

from portal.assessment.answers import Answers, InvalidAnswers, parse_one
from portal.assessment.questionnaire import QUESTIONS, Question
from portal.core.crypto import new_token
from portal.core.forms import BaseForm, check_email


class AnswerField(Field):
    """The options ticked for one question, as a set of their ids."""

    data: frozenset[str]

    def __init__(self, question: Question, optional: bool = False, **kwargs: Any) -> None:
        super().__init__(label=question.words, **kwargs)
        self.question = question
        self.optional = optional

    def process_data(self, value: Any) -> None:
        self.data = value or frozenset()

    def process_formdata(self, valuelist: list[Any]) -> None:
        try:
            self.data = parse_one(self.question, valuelist)
        except InvalidAnswers:
            self.data = frozenset()
            raise ValueError("One of the answers sent is not on our list. Choose again.") from None

    def pre_validate(self, form: Any) -> None:
        if not self.data and not self.optional and not form.skipping and not self.process_errors:
            otherwise = "skip this question" if form.may_skip else "None of these"
            wanted = "Choose an answer" if self.question.kind == "one" else "Tick what fits"
            raise ValidationError(f"{wanted}, or {otherwise}.")


class QuestionsForm(BaseForm):
    """What the forms of all pages of the assessment share."""

    skipping = False
    may_skip = True

    @property
    def answer_fields(self) -> list[AnswerField]:
        return [field for field in self if isinstance(field, AnswerField)]

    def given_answers(self) -> dict[str, frozenset[str]]:
        """What this page says: ticked options, or an empty set for a question that was skipped."""
        return {field.question.id: field.data for field in self.answer_fields if field.data or not field.optional}


def build_form(
    asked: Sequence[Question],
    revealed: Sequence[Question],
    answers: Answers,
    skipping: bool = False,
    may_skip: bool = True,
    **how: Any,
) -> QuestionsForm:
    """The form of a page: the questions asked on it, and those that an answer on it may open.

    It reads what is sent with the request; with `formdata=None` it does not, being the next page's.
    """
    page_form = _page_form(tuple(question.id for question in asked), tuple(question.id for question in revealed))
    form = page_form(data=dict(answers), **how)
    form.skipping, form.may_skip = skipping, may_skip
    return form


@lru_cache(maxsize=64)  # there are as many as pages, and a few more where an answer opens a question
def _page_form(asked: tuple[str, ...], revealed: tuple[str, ...]) -> type[QuestionsForm]:
    fields = {id: AnswerField(QUESTIONS[id]) for id in asked}
    fields |= {id: AnswerField(QUESTIONS[id], optional=True) for id in revealed}
    return type("PageForm", (QuestionsForm,), fields)


class PauseForm(BaseForm):
    """Where to send the way back, once."""

    key = HiddenField(default=new_token, validators=[Length(max=64)])
    email = EmailField(
        "E-mail",
        description="The mail holds a link and a code. It says nothing of your answers.",
        validators=[InputRequired("Enter an e-mail address, like name@example.com."), Length(max=254), check_email],
        render_kw={"autocomplete": "email", "maxlength": 254, "spellcheck": "false"},
    )


class CodeForm(BaseForm):
    """The code from the mail."""

    code = StringField(
        "Code from the mail",
        validators=[InputRequired("Enter the code from the mail."), Length(max=40, message="This code is too long.")],
        render_kw={"autocomplete": "one-time-code", "maxlength": 40, "spellcheck": "false"},
    )
