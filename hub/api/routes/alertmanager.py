"""Alerts of a Prometheus Alertmanager, taken with a token of their own."""

from __future__ import annotations

import hmac
from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Header
from starlette.responses import Response

from hub.api.access import TO_EVERYONE
from hub.api.deps import HubDep
from hub.api.errors import Problem, problem_response, problems
from hub.api.models.alertmanager import AlertAnswered, AlertsAnswered, AlertsTold
from hub.domain.errors import DomainError
from hub.services.outward.take_alerts import OutsideAlert, take_alert

router = APIRouter(tags=["Alertmanager"])


@router.post(
    "/alertmanager",
    summary="Take alerts of an Alertmanager",
    dependencies=[TO_EVERYONE],  # the token is looked at below
    response_model=AlertsAnswered,
    responses=problems(401, 403, 404, 413),
)
def take(
    body: AlertsTold,
    hub: HubDep,
    authorization: Annotated[str, Header(max_length=500)] = "",
) -> AlertsAnswered | Response:
    """Each becomes a grid event as a report does; one told again is the same, one resolved clears
    the scene. Needs `Authorization: Bearer TOKEN`, as [alertmanager] says."""
    token = hub.config.alertmanager.token
    if not token:
        return problem_response(
            Problem.of(404, "no alerts are taken here: set token of [alertmanager]")
        )
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(
        given.strip().encode(), token.encode()
    ):
        return problem_response(
            Problem.of(401, "the bearer token is missing or wrong"), {"WWW-Authenticate": "Bearer"}
        )
    answers = []
    for told in body.alerts:
        starts_at = told.startsAt
        if starts_at.tzinfo is None:
            starts_at = starts_at.replace(tzinfo=UTC)
        alert = OutsideAlert(
            told.fingerprint, told.status == "firing", starts_at, told.labels, told.annotations
        )
        try:
            with hub.pool.connection() as conn:  # each by itself: one refused holds up no other
                answers.append(AlertAnswered.model_validate(take_alert(conn, hub, alert)))
        except DomainError as e:
            answers.append(
                AlertAnswered(
                    fingerprint=told.fingerprint, outcome="refused", number=None, detail=str(e)
                )
            )
    return AlertsAnswered(alerts=answers)
