"""`/fhir/`: FHIR R4 resources. The questionnaire is public; what somebody answered is for staff."""

from __future__ import annotations

import json
from uuid import UUID

from flask import Blueprint, Response, abort

from portal.assessment.services import get_assessment
from portal.core.headers import may_be_kept
from portal.interop import services
from portal.interop.questionnaires import Resource, build_questionnaire, build_response
from portal.scheduling.contact import get_contact

blueprint = Blueprint("interop", __name__, url_prefix="/fhir")


@blueprint.get("/Questionnaire/headache-assessment")
def show_questionnaire() -> Response:
    return may_be_kept(_fhir(build_questionnaire(publisher=get_contact().name)))


@blueprint.get("/QuestionnaireResponse/<uuid:assessment_id>")
def show_response(assessment_id: UUID) -> Response:
    assessment = get_assessment(assessment_id) or abort(404)
    services.record_response_read(assessment_id)
    return _fhir(build_response(assessment))


def _fhir(resource: Resource) -> Response:
    return Response(json.dumps(resource, ensure_ascii=False), mimetype="application/fhir+json")
