"""The assessment as FHIR R4 Questionnaire and QuestionnaireResponse (hl7.org/fhir/R4), as plain dicts."""

from __future__ import annotations

from typing import Any

from portal.assessment.criteria import Has
from portal.assessment.models import Assessment
from portal.assessment.questionnaire import SCREENS, VERSION, Option, Question
from portal.assessment.services import answers_of
from portal.assessment.signoff import get_sign_off
from portal.config import current_settings

Resource = dict[str, Any]
ID = "headache-assessment"


def questionnaire_url() -> str:
    """The canonical address of the questionnaire."""
    return f"{current_settings().address}/fhir/Questionnaire/{ID}"


def build_questionnaire(publisher: str) -> Resource:
    """The questionnaire in force; experimental until a clinician has signed the rules off."""
    return {
        "resourceType": "Questionnaire",
        "id": ID,
        "url": questionnaire_url(),
        "version": VERSION,
        "name": "HeadacheAssessment",
        "title": "Headache assessment",
        "status": "active",
        "experimental": get_sign_off() is None,
        "subjectType": ["Patient"],
        "date": VERSION,
        "publisher": publisher,
        "item": [
            {
                "linkId": f"screen-{number}",
                "type": "group",
                "item": [_question_item(question) for question in screen.questions],
            }
            for number, screen in enumerate(SCREENS, 1)
        ],
    }


def build_response(assessment: Assessment) -> Resource:
    """The answers of one assessment; a question that was skipped has an item without an answer."""
    answers = answers_of(assessment)
    groups = []
    for number, screen in enumerate(SCREENS, 1):
        items = [_answer_item(q, answers[q.id]) for q in screen.questions if q.id in answers]
        if items:
            groups.append({"linkId": f"screen-{number}", "item": items})
    return {
        "resourceType": "QuestionnaireResponse",
        "id": str(assessment.id),
        "questionnaire": f"{questionnaire_url()}|{assessment.questionnaire_version}",
        "status": "completed" if assessment.finished_at else "in-progress",
        "authored": (assessment.finished_at or assessment.started_at).isoformat(),
        "item": groups,
    }


def _question_item(question: Question) -> Resource:
    item: Resource = {
        "linkId": question.id,
        "text": question.words,
        "type": "choice",
        "required": False,  # every question may be skipped
        "repeats": question.kind == "many",
        "answerOption": [{"valueCoding": _coding(option)} for option in question.options],
    }
    if question.shown_when is not None:
        conditions = [part for part in question.shown_when.parts() if isinstance(part, Has)]
        item["enableBehavior"] = "any"
        item["enableWhen"] = [
            {"question": condition.question, "operator": "=", "answerCoding": {"system": _system(), "code": code}}
            for condition in conditions
            for code in sorted(condition.options)
        ]
    if question.hint:
        item["item"] = [{"linkId": f"{question.id}-hint", "type": "display", "text": question.hint}]
    return item


def _answer_item(question: Question, ticked: frozenset[str]) -> Resource:
    item: Resource = {"linkId": question.id, "text": question.words}
    if ticked:
        item["answer"] = [{"valueCoding": _coding(option)} for option in question.options if option.id in ticked]
    return item


def _coding(option: Option) -> Resource:
    return {"system": _system(), "code": option.id, "display": option.words}


def _system() -> str:
    return f"{current_settings().address}/fhir/CodeSystem/{ID}"
