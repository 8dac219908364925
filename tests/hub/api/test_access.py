"""Who may use which route: the whole table, and what happens to a route that is not in it."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.responses import JSONResponse
from starlette.routing import Route

from hub.api import access
from hub.api.access import TO_EVERYONE, AccessError, allow, table
from hub.api.app import create_app
from hub.api.audit_words import ACTIONS
from hub.domain.actor import Role
from hub.services.context import Hub


def some(*roles: Role) -> str:
    return ", ".join(sorted(roles))


EVERYONE = "everyone, this machine"
PEOPLE, DESK, OFFICE = some(*access.PEOPLE), some(*access.DESK), some(*access.OFFICE)
REPORTERS = some(*access.PEOPLE, Role.CITIZEN)
ANYBODY = some(*access.ANYBODY)
SUPERVISOR = some(Role.SUPERVISOR)
KEEPERS = some(Role.MASTER, Role.DISPATCHER, Role.SUPERVISOR)
WEBHOOKS = (
    ("GET", ""),
    ("POST", ""),
    ("GET", "/{id}"),
    ("DELETE", "/{id}"),
    ("GET", "/{id}/deliveries"),
    *(("POST", f"/{{id}}/{verb}") for verb in ("secret", "stop", "start", "test", "redeliver")),
)

# every route of the hub, by who may use it; a new route is written here by whoever adds it
ROUTES: list[tuple[str, str]] = [
    (EVERYONE, "GET /healthz"),
    (EVERYONE, "GET /readyz"),
    (EVERYONE, "GET /assets/{fingerprint}/{name}"),
    (EVERYONE, "GET /api/v1/openapi.json"),
    (some(*access.DESK, Role.MONITOR) + ", this machine", "GET /metrics"),
    # grid events
    (PEOPLE, "GET /assessment"),
    (PEOPLE, "GET /assessment/bulletin"),
    (PEOPLE, "GET /assessment/events"),
    (PEOPLE, "GET /api/v1/assessment"),
    (PEOPLE, "GET /api/v1/assessment/events"),
    (PEOPLE, "GET /api/v1/assessment/figures.csv"),
    (PEOPLE, "GET /api/v1/assessment/events.csv"),
    (PEOPLE, "GET /api/v1/events"),
    (PEOPLE, "GET /api/v1/events/{number}"),
    (PEOPLE, "GET /api/v1/events/{number}/clock"),
    (PEOPLE, "GET /api/v1/events/{number}/handling"),
    (PEOPLE, "GET /api/v1/work"),
    (PEOPLE, "POST /api/v1/tasks/{id}/answer"),
    (PEOPLE, "GET /work"),
    (DESK, "POST /api/v1/events/{number}/verdict"),
    (PEOPLE, "POST /api/v1/events/{number}/acts"),
    (PEOPLE, "POST /api/v1/events/{number}/undo"),
    (REPORTERS, "POST /api/v1/reports"),
    (REPORTERS, "GET /api/v1/reports/{id}"),
    (REPORTERS, "POST /api/v1/reports/{id}/rating"),
    (some(Role.MASTER), "POST /api/v1/reports/{id}/rating/take-down"),
    (EVERYONE, "GET /rate/{token}"),
    (EVERYONE, "POST /rate/{token}"),
    # filing by itself
    (DESK, "GET /api/v1/control-windows"),
    (DESK, "POST /api/v1/control-windows"),
    (DESK, "POST /api/v1/control-windows/{id}/end"),
    (DESK, "GET /api/v1/trust"),
    (DESK, "GET /windows"),
    (DESK, "GET /district"),
    (DESK, "GET /trust"),
    (PEOPLE, "GET /api/v1/detections"),
    (PEOPLE, "GET /api/v1/detections/{episode}"),
    (PEOPLE, "GET /api/v1/live"),
    # evidence
    (PEOPLE, "GET /api/v1/evidence/{digest}"),
    (DESK, "POST /api/v1/evidence/{digest}/erase"),
    (DESK, "POST /api/v1/evidence/{digest}/hold"),
    (DESK, "POST /api/v1/evidence/{digest}/release"),
    (DESK, "POST /api/v1/events/{number}/hold"),
    (DESK, "POST /api/v1/events/{number}/release"),
    (DESK, "GET /api/v1/holds"),
    (PEOPLE, "POST /api/v1/evidence/photos"),
    # telling others, and hearing of them
    *((KEEPERS, f"{method} /api/v1/webhooks{path}") for method, path in WEBHOOKS),
    (PEOPLE, "GET /api/v1/notices"),
    (PEOPLE, "POST /api/v1/notices/read"),
    (PEOPLE, "GET /api/v1/notices/preferences"),
    (PEOPLE, "PUT /api/v1/notices/preferences"),
    (EVERYONE, "POST /api/v1/alertmanager"),  # a token of its own
    (EVERYONE, "GET /cap/alerts.atom"),
    (EVERYONE, "GET /cap/alerts/{identifier}.xml"),
    (EVERYONE, "GET /open311/discovery.{kind}"),
    (EVERYONE, "GET /open311/v2/services.{kind}"),
    (EVERYONE, "GET /open311/v2/services/{code}.{kind}"),
    (EVERYONE, "GET /open311/v2/requests.{kind}"),
    (EVERYONE, "POST /open311/v2/requests.{kind}"),
    (EVERYONE, "GET /open311/v2/requests/{number}.{kind}"),
    (EVERYONE, "GET /open311/v2/tokens/{token}.{kind}"),
    (EVERYONE, "GET /open311/v2/media/{digest}"),
    (PEOPLE, "GET /notices"),
    (KEEPERS, "GET /webhooks"),
    # the grid
    (REPORTERS, "GET /api/v1/grid"),
    (REPORTERS, "GET /api/v1/grid/at"),
    (REPORTERS, "GET /api/v1/categories"),
    (PEOPLE, "GET /api/v1/grid/report"),
    (OFFICE, "POST /api/v1/grid/import"),
    (PEOPLE, "GET /api/v1/readiness"),
    # people and units
    (PEOPLE, "GET /api/v1/units"),
    (PEOPLE, "GET /api/v1/units/{code}"),
    (OFFICE, "PUT /api/v1/units/{code}"),
    (OFFICE, "POST /api/v1/units/{code}/close"),
    (PEOPLE, "GET /api/v1/responsibility"),
    (PEOPLE, "GET /api/v1/responsibility/unit"),
    (OFFICE, "POST /api/v1/responsibility"),
    (OFFICE, "POST /api/v1/responsibility/{id}/withdraw"),
    (PEOPLE, "GET /api/v1/people"),
    (PEOPLE, "GET /api/v1/people/{code}"),
    (OFFICE, "PUT /api/v1/people/{code}"),
    (OFFICE, "POST /api/v1/people/{code}/leave"),
    (PEOPLE, "PUT /api/v1/people/{code}/position"),
    (PEOPLE, "GET /api/v1/duty"),
    (PEOPLE, "GET /api/v1/duty/positions"),
    (PEOPLE, "GET /api/v1/shifts"),
    (OFFICE, "POST /api/v1/shifts"),
    (OFFICE, "DELETE /api/v1/shifts/{id}"),
    # the base registry
    (PEOPLE, "GET /api/v1/registry"),
    (PEOPLE, "POST /api/v1/registry"),
    (PEOPLE, "GET /api/v1/registry/{id}"),
    (PEOPLE, "PUT /api/v1/registry/{id}"),
    (PEOPLE, "POST /api/v1/registry/{id}/retire"),
    (PEOPLE, "POST /api/v1/registry/{id}/restore"),
    (PEOPLE, "GET /api/v1/registry/{id}/events"),
    (PEOPLE, "GET /api/v1/events/{number}/entries"),
    (PEOPLE, "POST /api/v1/events/{number}/entries"),
    (PEOPLE, "DELETE /api/v1/events/{number}/entries/{id}"),
    # training
    (PEOPLE, "GET /api/v1/training/sets"),
    (OFFICE, "POST /api/v1/training/sets"),
    (OFFICE, "POST /api/v1/training/sets/{id}/retire"),
    (PEOPLE, "POST /api/v1/training/sets/{id}/attempts"),
    (PEOPLE, "GET /api/v1/training/attempts/{id}"),
    (PEOPLE, "PUT /api/v1/training/attempts/{id}/answers/{n}"),
    (PEOPLE, "POST /api/v1/training/attempts/{id}/finish"),
    (PEOPLE, "GET /api/v1/training/people/{code}"),
    # devices
    (DESK, "GET /api/v1/agents"),
    (DESK, "GET /api/v1/agents/{agent}"),
    (DESK, "GET /api/v1/agents/{agent}/parameters"),
    (DESK, "PUT /api/v1/agents/{agent}/streams/{stream}/detectors/{kind}/parameters"),
    (DESK, "GET /api/v1/agents/{agent}/sensors/{device}"),
    (DESK, "GET /api/v1/agents/{agent}/sensors/{device}/readings"),
    (DESK, "GET /api/v1/agents/{agent}/sensors/{device}/rollups"),
    (DESK, "GET /api/v1/streams"),
    (DESK, "GET /api/v1/sensors"),
    (DESK, "GET /api/v1/readings/totals"),
    (DESK, "GET /api/v1/completeness"),
    (DESK, "GET /api/v1/daily-tests"),
    (DESK, "GET /api/v1/flooding"),
    (DESK, "GET /api/v1/blind"),
    (DESK, "GET /api/v1/quarantine"),
    (DESK, "GET /api/v1/quarantine/{id}"),
    (DESK, "POST /api/v1/quarantine/replay"),
    (DESK, "POST /api/v1/quarantine/{id}/replay"),
    (DESK, "POST /api/v1/quarantine/{id}/give-up"),
    # accounts
    (EVERYONE, "GET /sign-in"),
    (EVERYONE, "POST /sign-in"),
    (EVERYONE, "GET /sign-in/once/{secret}"),
    (ANYBODY, "POST /sign-out"),
    (ANYBODY, "POST /sign-out/everywhere"),
    (PEOPLE, "GET /account"),
    (PEOPLE, "POST /account/password"),
    (PEOPLE, "POST /account/post"),
    (ANYBODY, "GET /api/v1/me"),
    (SUPERVISOR, "GET /api/v1/audit"),
    (SUPERVISOR, "GET /audit"),
    # the console
    (DESK, "GET /"),
    (DESK, "GET /triage/queue"),
    (DESK, "GET /triage/events/none"),
    (DESK, "GET /triage/events/{number}"),
    (DESK, "GET /triage/last"),
    (PEOPLE, "GET /events"),
    (PEOPLE, "GET /events/{number}"),
    (PEOPLE, "GET /report"),
    (DESK, "GET /devices"),
    (DESK, "GET /completeness"),
    (DESK, "GET /quarantine"),
    (DESK, "GET /quarantine/{id}"),
    (DESK, "GET /tuning"),
    (DESK, "GET /sensors/{agent}/{device}"),
]


def test_every_route_and_who_may_use_it(hub: Hub) -> None:
    found = [f"{path}: {who}" for path, who in table(create_app(hub)).items()]
    assert sorted(found) == sorted(f"{path}: {who}" for who, path in ROUTES)


def test_the_audit_log_has_words_for_every_change(hub: Hub) -> None:
    changing = {
        route.original_route.name
        for route in iter_route_contexts(create_app(hub).routes)
        if isinstance(route.original_route, APIRoute) and route.methods not in ({"GET"}, {"HEAD"})
    }
    assert changing - set(ACTIONS) == set()


def test_a_route_that_does_not_say_who_may_use_it_stops_the_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/said", dependencies=[TO_EVERYONE])(lambda: None)
    app.get("/forgotten")(lambda: None)
    with pytest.raises(AccessError, match="GET /forgotten does not say who may use it"):
        table(app)


def test_a_route_beside_the_api_stops_the_start() -> None:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.append(Route("/beside", lambda request: JSONResponse(None)))
    with pytest.raises(AccessError, match="/beside is no route of the API"):
        table(app)


def test_where_a_router_and_its_route_both_say_who_both_hold() -> None:
    app = FastAPI(
        openapi_url=None, docs_url=None, redoc_url=None, dependencies=[allow(*access.PEOPLE)]
    )
    app.get("/both", dependencies=[allow(Role.MASTER, Role.CITIZEN)])(lambda: None)
    assert {path: str(who) for path, who in table(app).items()} == {"GET /both": "master"}


def test_nobody_is_no_role() -> None:
    with pytest.raises(AccessError, match="lets nobody in"):
        allow()
