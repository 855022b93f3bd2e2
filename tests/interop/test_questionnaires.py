"""The assessment in FHIR R4, checked against the resource models and the value sets they leave out."""

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from portal.assessment.questionnaire import QUESTIONS, SCREENS
from tests.assessment.test_walk import NECK

ITEM_TYPES = {"group", "display", "choice"}  # of the R4 value set, those that we use


@pytest.fixture
def questionnaire(visitor):
    response = visitor.client.get("/fhir/Questionnaire/headache-assessment")
    assert response.mimetype == "application/fhir+json"
    return response.get_json(force=True)


def items_of(resource):
    for group in resource["item"]:
        yield from group["item"]


def test_the_questionnaire_is_valid_and_complete(questionnaire):
    Questionnaire.model_validate(questionnaire)
    assert questionnaire["status"] == "active"
    assert questionnaire["experimental"] is True  # until a clinician signs the rules off
    assert len(questionnaire["item"]) == len(SCREENS) == 14
    assert [item["linkId"] for item in items_of(questionnaire)] == list(QUESTIONS)
    for item in items_of(questionnaire):
        assert item["type"] in ITEM_TYPES
        codes = [option["valueCoding"]["code"] for option in item["answerOption"]]
        assert set(codes) == QUESTIONS[item["linkId"]].option_ids
        assert item["repeats"] == (QUESTIONS[item["linkId"]].kind == "many")


def test_its_conditions_name_questions_and_options_that_exist(questionnaire):
    conditional = {item["linkId"]: item for item in items_of(questionnaire) if "enableWhen" in item}
    assert conditional.keys() == {"touch_triggers", "med_types"}
    for item in conditional.values():
        assert item["enableBehavior"] in {"all", "any"}
        for condition in item["enableWhen"]:
            assert condition["operator"] == "="
            assert condition["answerCoding"]["code"] in QUESTIONS[condition["question"]].option_ids


def test_link_ids_are_unique(questionnaire):
    def ids(item):
        yield item["linkId"]
        for inner in item.get("item", []):
            yield from ids(inner)

    found = [id for group in questionnaire["item"] for id in ids(group)]
    assert len(found) == len(set(found))


def test_a_finished_assessment_is_a_valid_response_for_staff_alone(visitor, desk, app):
    from portal.assessment.models import Assessment
    from portal.core.db import db

    visitor.finish(**NECK)
    with app.app_context():
        assessment_id = db.session.scalar(db.select(Assessment.id))
    address = f"/fhir/QuestionnaireResponse/{assessment_id}"
    response = desk.client.get(address).get_json(force=True)
    QuestionnaireResponse.model_validate(response)
    assert response["status"] == "completed"
    assert response["questionnaire"].endswith("/fhir/Questionnaire/headache-assessment|2026-11-22")
    answers = {
        item["linkId"]: [a["valueCoding"]["code"] for a in item.get("answer", [])] for item in items_of(response)
    }
    assert answers["neck_link"] == ["neck_move", "neck_stiff"]
    assert visitor.open(address).path == "/desk/sign-in"
    assert desk.open("/fhir/QuestionnaireResponse/00000000-0000-0000-0000-000000000000").status == 404
