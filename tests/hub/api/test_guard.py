"""What is refused before any route, and what every answer carries."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from hub.api.errors import MEDIA_TYPE
from tests.hub.api.city import City
from tests.hub.api.problems import problem


def test_a_name_that_is_not_the_hubs_is_refused(client: httpx.Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "", "[::2]:8080"):
        told = problem(client.get("/api/v1/events", headers={"Host": host}), 421)
        assert "allowed_hosts" in told["detail"]


def test_the_loopback_names_are_the_hubs_own(client: httpx.Client) -> None:
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"):
        assert client.get("/api/v1/events", headers={"Host": host}).status_code == 200


def test_a_page_of_another_site_changes_nothing(town: City, client: httpx.Client) -> None:
    number = town.sees()
    path = f"/api/v1/events/{number}/verdict"
    body = {"verdict": "confirmed", "evidence_missing": True}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ):
        problem(client.post(path, json=body, headers=headers), 403)
    assert client.get(f"/api/v1/events/{number}").json()["state"] == "suspected"
    own = {"Origin": town.url, "Sec-Fetch-Site": "same-origin"}
    assert client.post(path, json=body, headers=own).status_code == 200


def test_a_body_that_is_too_large_is_refused_with_or_without_its_length(
    client: httpx.Client,
) -> None:
    problem(client.post("/api/v1/reports", content=b"x" * 70_000), 413)
    pieces = (b"x" * 10_000 for _ in range(7))
    problem(client.post("/api/v1/reports", content=pieces), 413)


def test_a_body_that_is_no_json_is_refused(client: httpx.Client) -> None:
    for content, kind in ((b"{", "application/json"), (b"a=1", "text/plain")):
        told = problem(
            client.post("/api/v1/reports", content=content, headers={"Content-Type": kind}), 422
        )
        assert told["errors"][0]["at"].startswith("body")


def test_an_unknown_path_and_a_wrong_method_are_problems_too(client: httpx.Client) -> None:
    assert "openapi" in problem(client.get("/api/v1/nothing"), 404)["detail"]
    wrong = client.delete("/api/v1/events")
    assert "it takes GET" in problem(wrong, 405)["detail"]
    assert wrong.headers["allow"] == "GET"


def test_a_failure_inside_says_an_incident_and_nothing_of_itself(
    town: City, client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    town.execute("DROP TABLE quarantine")
    told = problem(client.get("/api/v1/quarantine"), 500)
    assert told["incident"] in told["detail"]
    assert "quarantine_" not in told["detail"]
    assert "UndefinedTable" not in str(told)
    assert any(told["incident"] in record.getMessage() for record in caplog.records)


def test_every_answer_carries_the_security_headers(client: httpx.Client) -> None:
    for path in ("/", "/api/v1/events", "/api/v1/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_health_lives_without_anything_and_readiness_names_what_is_missing(
    client: httpx.Client,
) -> None:
    assert client.get("/healthz", headers={"Host": "10.0.0.7"}).json() == {"status": "alive"}
    told = problem(client.get("/readyz", headers={"Host": "10.0.0.7"}), 503)
    assert "ingestion" in told["detail"]


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_documents_its_errors_as_problem_documents(client: httpx.Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    found = operations(document)
    assert len(found) > 20
    for method, path, operation in found:
        errors = {s: r for s, r in operation["responses"].items() if s >= "400"}
        assert {"421", "422", "500", "503"} <= set(errors), f"{method} {path}"
        if method in ("post", "put"):
            assert {"403", "413"} <= set(errors), f"{method} {path}"
        if "{" in path:
            assert "404" in errors, f"{method} {path}"
        for status, response in errors.items():
            of_a_range = path.endswith("/evidence/{digest}") and status in ("400", "416")
            assert list(response["content"]) == ["text/plain" if of_a_range else MEDIA_TYPE]
        assert operation["summary"]
        assert operation["description"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "status", "heading", "words"),
    [
        ("/nothing", 404, "There is nothing here", "页面或内容不存在"),
        ("/api/v1/nothing", 404, "There is nothing here", "页面或内容不存在"),
        ("/events/410105-20260101-00001", 404, "There is nothing here", "页面或内容不存在"),
        ("/events?cursor=none", 422, "This address does not fit", "地址或参数有误"),
        ("/quarantine/none", 422, "This address does not fit", "地址或参数有误"),
        ("/sign-out", 405, "Not in this way", "不支持该操作"),
    ],
)
def test_a_person_is_told_of_a_problem_on_a_page_of_the_console(
    client: httpx.Client, path: str, status: int, heading: str, words: str
) -> None:
    for lang, said in (("en", heading), ("zh", words)):
        page = client.get(path, headers=PERSON | {"Cookie": f"{_cookies(client)}; lang={lang}"})
        assert page.status_code == status
        assert page.headers["content-type"].startswith("text/html")
        assert f"<h1>{said}</h1>" in page.text
        assert 'aria-label="' in page.text
        assert 'href="/events"' in page.text  # a way on


def _cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_a_stranger_is_told_of_a_problem_on_a_page_that_shows_nothing_else(town: City) -> None:
    page = httpx.get(f"{town.url}/nothing", headers=PERSON, trust_env=False)
    assert page.status_code == 404
    assert "There is nothing here" in page.text
    assert 'href="/events"' not in page.text


def test_a_person_is_told_on_a_page_that_the_database_is_away(
    town: City, client: httpx.Client
) -> None:
    town.hub.pool.close()
    page = client.get("/events", headers=PERSON)
    assert (page.status_code, page.headers["retry-after"]) == (503, "2")
    assert "<h1>Not available just now</h1>" in page.text
    assert 'href="/events">Try again' in page.text
