"""Signing in, staying signed in, signing out; tokens; what the audit log keeps of it all."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import itertools
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from contract.geometry import Point
from gridwarden.cli import main
from hub.api.caller import COOKIE
from hub.config import AccountsConfig
from hub.domain.actor import Role
from hub.services.accounts import NewAccount, create_account, create_token, disable_account
from hub.services.passwords import Passwords
from hub.services.signing_in import make_link
from hub.store import accounts, audit
from hub.store.audit import AuditRow
from tests.hub.api.city import CHEAP, City, street, town_with_cameras
from tests.hub.api.problems import problem
from tests.hub.api.signing_in import signed_in
from tests.hub.builders import together

TRIES = 3
PASSWORD = "four cats in a tree"
_numbers = itertools.count(1)


@dataclass(slots=True)
class Door:
    """A hub behind a proxy that says from where each browser comes."""

    town: City
    addresses: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @contextmanager
    def browser(self, address: str = "", **cookies: str) -> Iterator[httpx.Client]:
        """Somebody at an address that nobody else has."""
        headers = {
            "X-Forwarded-For": address or f"203.0.113.{next(self.addresses)}",
            "Accept": "text/html",
        }
        with httpx.Client(
            base_url=self.town.url, headers=headers, cookies=cookies, timeout=20, trust_env=False
        ) as client:
            yield client

    def account(
        self, role: Role = Role.DISPATCHER, cells: tuple[str, ...] = (), unit: str | None = None
    ) -> str:
        """The login of a new account with PASSWORD."""
        asked = NewAccount(f"li-{next(_numbers)}", role, PASSWORD, cells, unit)
        with self.town.hub.pool.connection() as conn:
            return create_account(conn, self.town.hub, asked, "test").login

    def token(self, login: str, role: Role | None = None, cells: tuple[str, ...] = ()) -> str:
        with self.town.hub.pool.connection() as conn:
            return create_token(
                conn, self.town.hub, login, name="t", role=role, cells=cells, days=1, by="test"
            )

    def log(self, **wanted: str) -> list[AuditRow]:
        with self.town.hub.pool.connection() as conn:
            return audit.entries(conn, **wanted)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def door(module_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    limits = dataclasses.replace(CHEAP, tries_per_login=TRIES, tries_per_address=8)
    folder = tmp_path_factory.mktemp("door")
    with town_with_cameras(module_database_url, folder, limits, ("127.0.0.1",)) as town:
        yield Door(town)


def enter(
    client: httpx.Client, login: str, password: str = PASSWORD, next: str = "/"
) -> httpx.Response:
    return client.post("/sign-in", data={"login": login, "password": password, "next": next})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def test_the_right_password_leads_back_with_a_cookie_no_script_can_read(door: Door) -> None:
    login = door.account()
    with door.browser() as client:
        answer = enter(client, f" {login.upper()} ", next="/events?state=filed")
        assert (answer.status_code, answer.headers["location"]) == (303, "/events?state=filed")
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Path=/" in cookie
        assert "Secure" not in cookie  # over HTTP no browser would send it back
        assert client.get("/events").status_code == 200
        encrypted = client.post(
            "/sign-in",
            data={"login": login, "password": PASSWORD},
            headers={"X-Forwarded-Proto": "https"},
        )
        assert "Secure" in encrypted.headers["set-cookie"]


def test_whoever_does_no_triage_begins_with_the_events(door: Door) -> None:
    with door.browser() as client:
        assert enter(client, door.account(Role.ASSISTANT)).headers["location"] == "/work"


def test_nobody_learns_which_accounts_there_are(door: Door) -> None:
    disabled = door.account()
    with door.town.hub.pool.connection() as conn:
        disable_account(conn, door.town.hub, disabled, "test")
    told = []
    for login, password in (
        (door.account(), "another password"),
        ("nobody-here", PASSWORD),
        (disabled, PASSWORD),
        ("\0", "\0"),
        ("", ""),
        ("x" * 5000, "x" * 5000),
    ):
        with door.browser() as client:
            answer = enter(client, login, password)
        assert "set-cookie" not in answer.headers
        told.append((answer.status_code, answer.text.replace(html.escape(login[:64]), "")))
    assert told[0][0] == 401
    assert "wrong, or the account is disabled" in told[0][1]
    bare = {re.sub(r'value="[^"]*"|autofocus|\s', "", text) for _, text in told}
    assert len(bare) == 1


def test_after_too_many_wrong_passwords_not_even_the_right_one_is_looked_at(door: Door) -> None:
    login = door.account()
    for name in (login, "nobody-at-all"):
        with door.browser() as client:
            assert [enter(client, name, "wrong").status_code for _ in range(TRIES)] == [401] * TRIES
            last = enter(client, name)
        assert last.status_code == 429
        assert 0 < int(last.headers["retry-after"]) <= 15 * 60
        assert "Your password was not looked at" in last.text
    with door.browser() as other:
        assert enter(other, login).status_code == 429  # from anywhere


def test_whoever_signed_in_from_there_before_is_not_locked_out_by_others(door: Door) -> None:
    login = door.account()
    with door.browser("2001:db8::1") as mine, door.browser() as stranger:
        assert enter(mine, login).status_code == 303
        assert [enter(stranger, login, "wrong").status_code for _ in range(TRIES)] == [401] * TRIES
        assert enter(stranger, login).status_code == 429
        assert enter(mine, login).status_code == 303
    with door.browser("2001:db8::2:1") as same_net:
        assert enter(same_net, login).status_code == 303


def test_one_address_may_not_try_every_login(door: Door) -> None:
    with door.browser() as client:
        codes = [enter(client, f"guess-{n}", "wrong").status_code for n in range(10)]
    assert codes == [401] * 8 + [429] * 2


def test_many_tries_at_once_are_no_more_than_the_limit(door: Door) -> None:
    login = door.account()

    def wrong() -> int:
        with door.browser() as client:
            return enter(client, login, "wrong").status_code

    codes = together([wrong] * 8)
    assert sorted(map(str, codes)) == ["401"] * TRIES + ["429"] * (8 - TRIES)


def test_the_way_back_never_leads_to_another_site(door: Door) -> None:
    login = door.account()
    for wanted in (
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "events",
        "/sign-out",
    ):
        with door.browser() as client:
            assert enter(client, login, next=wanted).headers["location"] == "/"


def test_who_is_signed_out_is_sent_to_the_sign_in_and_back(door: Door) -> None:
    with door.browser() as client:
        answer = client.get("/events?severity=S1")
        assert answer.status_code == 303
        to = urlsplit(answer.headers["location"])
        assert (to.path, parse_qs(to.query)) == ("/sign-in", {"next": ["/events?severity=S1"]})
        assert 'name="next" value="/events?severity=S1"' in client.get(str(to.geturl())).text
        part = client.get(
            "/triage/queue",
            headers={"HX-Request": "true", "HX-Current-URL": f"{door.town.url}/?event=1"},
        )
        assert part.status_code == 401
        assert part.headers["hx-redirect"] == "/sign-in?next=%2F%3Fevent%3D1"


def test_a_program_that_is_signed_out_gets_a_problem_and_nothing_is_done(door: Door) -> None:
    number = door.town.sees(at=door.town.centre)
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer gw_none"}):
        with door.browser() as client:
            headers = {"Accept": "*/*", **headers}
            answer = client.get("/api/v1/events", headers=headers)
            assert problem(answer, 401)["type"].endswith("signed-out")
            assert answer.headers["www-authenticate"].startswith("Bearer")
            body = {"verdict": "confirmed", "evidence_missing": True}
            problem(
                client.post(f"/api/v1/events/{number}/verdict", json=body, headers=headers), 401
            )
    assert door.town.state(number) == "suspected"


def test_the_sign_in_tells_nothing_of_the_district_and_keeps_to_the_content_policy(
    door: Door,
) -> None:
    with door.browser() as client:
        for lang, words in (("en", "Sign in"), ("zh", "登录")):
            page = client.get(f"/sign-in?lang={lang}")
            assert words in page.text
            assert "sse-connect" not in page.text
            assert "<script" not in page.text
        name = re.search(r'href="(/assets/[^"]+console\.css)"', page.text)
        assert name
        assert client.get(name[1]).status_code == 200  # its files are for everyone


def test_a_session_ends_when_it_stands_idle_and_however_much_it_is_used(door: Door) -> None:
    for change in ("seen_at = now() - interval '121 min'", "expires_at = now()"):
        login = door.account()
        with door.browser() as client:
            enter(client, login)
            assert client.get("/account").status_code == 200
            door.town.execute(
                f"UPDATE account_session SET {change} WHERE account ="
                " (SELECT id FROM account WHERE login = %s)",
                login,
            )
            answer = client.get("/account")
            assert answer.status_code == 303
            assert f'{COOKIE}=""' in answer.headers["set-cookie"]


def test_signing_out_ends_this_session_and_everywhere_ends_all(door: Door) -> None:
    login = door.account()
    with door.browser() as one, door.browser() as other:
        enter(one, login)
        kept = one.cookies[COOKIE]
        enter(other, login)
        assert one.post("/sign-out").headers["location"] == "/sign-in?out=out"
        with door.browser(**{COOKIE: kept}) as thief:
            assert thief.get("/account").status_code == 303
        assert other.get("/account").status_code == 200
        enter(one, login)
        assert one.post("/sign-out/everywhere").status_code == 303
        assert other.get("/account").status_code == 303


def test_a_page_of_another_site_signs_nobody_out(door: Door) -> None:
    with door.browser() as client:
        enter(client, door.account())
        problem(client.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}), 403)
        assert client.get("/account").status_code == 200


def test_live_updates_end_with_the_session(door: Door) -> None:
    login = door.account()
    with door.browser() as client:
        enter(client, login)
        with client.stream("GET", "/api/v1/live") as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry")
            door.town.execute(
                "UPDATE account_session SET ended_at = now() WHERE account ="
                " (SELECT id FROM account WHERE login = %s)",
                login,
            )

            with busy(door):
                assert list(lines)[-1:] == [""]


@contextmanager
def busy(door: Door) -> Iterator[None]:
    """Something changes all the time."""
    quiet = threading.Event()

    def storm() -> None:
        while not quiet.wait(0.1):
            door.town.execute("SELECT pg_notify('gridwarden', %s)", _note())

    thread = threading.Thread(target=storm, name="storm")
    thread.start()
    try:
        yield
    finally:
        quiet.set()
        thread.join()


def _note() -> str:
    return f'{{"topic": "evidence", "id": "{next(_numbers)}"}}'


def test_a_link_signs_in_once_and_soon(door: Door) -> None:
    with door.town.hub.pool.connection() as conn:
        account = accounts.account_of(conn, door.account())
        assert account is not None
        secret = make_link(conn, door.town.hub, account)
        old = make_link(conn, door.town.hub, account)
    door.town.execute(
        "UPDATE sign_in_link SET expires_at = now() WHERE token_hash <> encode(sha256(%s), 'hex')",
        secret.encode(),
    )
    with door.browser() as client:
        assert client.get(f"/sign-in/once/{secret}").headers["location"] == "/"
        assert client.get("/account").status_code == 200
    for spent in (secret, old, "none", "%00"):
        with door.browser() as client:
            answer = client.get(f"/sign-in/once/{spent}")
            assert answer.status_code == 401
            assert "older than ten minutes" in answer.text


def test_a_changed_password_ends_every_other_session(door: Door) -> None:
    login, better = door.account(), "five dogs under it"
    with door.browser() as here, door.browser() as there:
        enter(here, login)
        enter(there, login)

        def change(old: str, new: str, again: str) -> httpx.Response:
            data = {"old": old, "new": new, "again": again}
            return here.post("/account/password", data=data)

        assert "the present password is another" in change("wrong", better, better).text
        assert "differ" in change(PASSWORD, better, "x").text
        assert "10 to 256 characters" in change(PASSWORD, "short", "short").text
        assert change(PASSWORD, better, better).headers["location"] == "/account?done=password"
        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 303
    with door.browser() as client:
        assert enter(client, login).status_code == 401
        assert enter(client, login, better).status_code == 303


def test_a_role_that_is_missing_is_named_and_the_refusal_stands_in_the_log(door: Door) -> None:
    login = door.account(Role.ASSISTANT)
    with door.browser(**signed_in(door.town.hub, login)) as client:
        told = problem(client.get("/api/v1/audit", headers={"Accept": "*/*"}), 403)
        assert told["role"] == "assistant"
        assert told["needs_role"] == ["supervisor"]
        page = client.get("/tuning")
        assert page.status_code == 403
        assert "this is for dispatcher, leader, master, supervisor" in page.text
    entry = door.log(actor=login)[0]
    assert (entry.action, entry.outcome, entry.via) == ("show_tuning", "refused", "session")


def test_a_role_the_lifecycle_keeps_a_step_from_is_refused_as_forbidden(door: Door) -> None:
    number = door.town.sees(at=door.town.centre)
    with door.browser(**signed_in(door.town.hub, door.account(Role.ASSISTANT))) as client:
        told = problem(
            client.post(
                f"/api/v1/events/{number}/acts", json={"name": "reject", "reason": "steam"}
            ),
            403,
        )
    assert "for dispatcher, leader, master" in told["detail"]
    assert door.town.state(number) == "suspected"


def far(door: Door) -> Point:
    """A place in another secondary grid than the centre."""
    grid = door.town.hub.grid
    middle = grid.locate(door.town.centre)
    assert middle is not None
    other = next(c for c in grid.cells.values() if c.level == 1 and c.parent != middle.parent)
    inside = other.polygon.representative_point()
    return Point(inside.x, inside.y)


def test_who_has_a_subtree_acts_and_sees_evidence_only_there(door: Door) -> None:
    town = door.town
    middle = town.hub.grid.locate(town.centre)
    assert middle is not None
    mine, theirs = street(seed=11), street(seed=12)
    near = town.sees("stopped_vehicle", "car", at=town.centre, picture=mine)
    away = town.sees("stopped_vehicle", "car", "cam-02", at=far(door), picture=theirs)
    assert near != away
    login = door.account(Role.LEADER, (middle.parent or "",))
    with door.browser(**signed_in(town.hub, login)) as client:
        client.headers["Accept"] = "*/*"
        listed = {e["number"] for e in client.get("/api/v1/events?limit=200").json()["events"]}
        assert near in listed
        assert away not in listed
        assert client.get(f"/api/v1/events/{near}").status_code == 200
        told = problem(client.get(f"/api/v1/events/{away}"), 403)
        assert told["cells"] == [middle.parent]
        assert told["cell"]
        for part in ("clock", "entries"):
            assert client.get(f"/api/v1/events/{near}/{part}").status_code == 200
            problem(client.get(f"/api/v1/events/{away}/{part}"), 403)
        assert client.get(f"/api/v1/evidence/{hashlib.sha256(mine).hexdigest()}").content == mine
        path = f"/api/v1/evidence/{hashlib.sha256(theirs).hexdigest()}"
        problem(client.get(path), 403)
        problem(client.post(f"{path}/erase", json={"reason": "x"}), 403)
        problem(client.post(f"{path}/hold", json={"reason": "x"}), 403)
        for verb, body in (
            ("verdict", {"verdict": "false_alarm", "reason": "steam"}),
            ("acts", {"name": "comment", "note": "x"}),
            ("undo", {}),
            ("hold", {"reason": "x"}),
        ):
            problem(client.post(f"/api/v1/events/{away}/{verb}", json=body), 403)
        body = {"verdict": "duplicate", "parent": away}
        problem(client.post(f"/api/v1/events/{near}/verdict", json=body), 403)
        page = client.get("/", headers={"Accept": "text/html"}).text
        assert f"row-{near}" in page
        assert f"row-{away}" not in page
        outside = client.get(f"/events/{away}", headers={"Accept": "text/html"})
        assert outside.status_code == 403
        assert "you may act and see in" in outside.text
    assert town.state(away) == "suspected"


def test_a_department_acts_on_what_is_in_its_hands_only(door: Door) -> None:
    town = door.town
    number = town.reports("a bin burns", at=far(door))
    town.execute(
        "UPDATE grid_event SET responsible_unit = 'parks' WHERE number = %s",
        number,
    )
    for unit, code in (("roads", 403), ("parks", 200)):
        cookies = signed_in(town.hub, f"{unit} desk", Role.DEPT, unit=unit)
        with door.browser(**cookies) as client:
            answer = client.get(f"/api/v1/events/{number}", headers={"Accept": "*/*"})
            assert answer.status_code == code
            found = client.get("/api/v1/events?limit=200").json()["events"]
            assert (number in {e["number"] for e in found}) is (unit == "parks")


def test_a_token_acts_as_its_account_within_its_cells_until_it_is_revoked(door: Door) -> None:
    town = door.town
    middle = town.hub.grid.locate(town.centre)
    assert middle is not None
    login = door.account(Role.LEADER)
    token = door.token(login, cells=(middle.code,))
    with door.browser() as client:
        me = client.get("/api/v1/me", headers=bearer(token)).json()
        assert (me["login"], me["role"], me["cells"], me["via"]) == (
            login,
            "leader",
            [middle.code],
            "token",
        )
        away = town.sees("stopped_vehicle", "car", "cam-02", at=far(door))
        problem(client.get(f"/api/v1/events/{away}", headers=bearer(token)), 403)
        ((id, used),) = rows(door, "SELECT id, last_used_at IS NOT NULL FROM api_token", login)
        assert used
        assert main(["tokens", "revoke", str(id), *settings(door)]) == 0
        problem(client.get("/api/v1/me", headers=bearer(token)), 401)


def rows(door: Door, statement: str, login: str) -> list[tuple[object, ...]]:
    with door.town.hub.pool.connection() as conn:
        return conn.execute(
            f"{statement} WHERE account = (SELECT id FROM account WHERE login = %s)".encode(),
            (login,),
        ).fetchall()


def settings(door: Door) -> list[str]:
    folder = door.town.hub.config.hub.data_dir
    folder.mkdir(exist_ok=True, parents=True)
    path = Path(folder) / "hub.toml"
    path.write_text(
        f'[database]\nurl = "{door.town.hub.config.database.url}"\n'
        "[accounts]\nargon2_time_cost = 1\nargon2_memory_kib = 8\nargon2_parallelism = 1\n",
        encoding="utf-8",
    )
    return ["--config", str(path)]


def test_a_token_dies_with_its_time_its_account_and_its_accounts_role(door: Door) -> None:
    for change in (
        "UPDATE api_token SET expires_at = now() WHERE account = %s",
        "UPDATE account SET disabled_at = now() WHERE id = %s",
        "UPDATE account SET role = 'assistant' WHERE id = %s",
    ):
        login = door.account(Role.MASTER)
        token = door.token(login)
        with door.town.hub.pool.connection() as conn:
            account = accounts.account_of(conn, login)
        assert account is not None
        with door.browser() as client:
            assert client.get("/api/v1/me", headers=bearer(token)).status_code == 200
            door.town.execute(change, account.id)
            problem(client.get("/api/v1/me", headers=bearer(token)), 401)


def test_a_token_that_is_no_good_is_refused_even_where_somebody_is_signed_in(door: Door) -> None:
    with door.browser(**signed_in(door.town.hub)) as client:
        problem(client.get("/api/v1/me", headers=bearer("gw_old")), 401)


def test_no_secret_stands_in_the_database(door: Door) -> None:
    login = door.account()
    token = door.token(login)
    with door.browser() as client:
        enter(client, login)
        session = client.cookies[COOKIE]
    told = ""
    with door.town.hub.pool.connection() as conn:
        for table in ("account", "account_session", "api_token", "sign_in_link", "audit"):
            told += str(conn.execute(f"SELECT t::text FROM {table} t".encode()).fetchall())
    assert login in told
    assert "$argon2id$v=19$m=8,t=1,p=1$" in told
    for secret in (PASSWORD, token, session):
        assert secret not in told


def test_figures_are_for_this_machine_and_for_whoever_has_a_token(door: Door) -> None:
    at_home = httpx.get(f"{door.town.url}/metrics", trust_env=False)
    assert "gridwarden_events_waiting" in at_home.text
    token = door.token(door.account(), Role.MONITOR)
    with door.browser() as client:
        client.headers["Accept"] = "*/*"
        problem(client.get("/metrics"), 401)
        assert client.get("/metrics", headers=bearer(token)).status_code == 200
        problem(client.get("/api/v1/events", headers=bearer(token)), 403)
        problem(client.get("/metrics", headers={"Host": "127.0.0.1"}), 401)


def test_every_look_at_evidence_and_every_act_stands_in_the_log(door: Door) -> None:
    town, login = door.town, door.account()
    picture = street(seed=21)
    number = town.sees("stopped_vehicle", "car", at=town.centre, picture=picture)
    digest = hashlib.sha256(picture).hexdigest()
    with door.browser("198.51.100.7") as client:
        enter(client, login)
        client.get(f"/api/v1/evidence/{digest}")
        client.get(f"/api/v1/evidence/{digest}", headers={"Range": "bytes=100-200"})  # same look
        body = {"verdict": "false_alarm", "reason": "steam", "evidence_viewed": True}
        client.post(f"/api/v1/events/{number}/verdict", json=body)
        client.post(f"/api/v1/events/{number}/verdict", json=body | {"expected_version": 1})
    told = [
        (e.action, e.subject, e.detail, e.outcome, e.via, e.address) for e in door.log(actor=login)
    ]
    home = ("session", "198.51.100.7")
    assert told[::-1][1:] == [
        ("show_evidence", digest, "", "done", *home),
        ("judge", number, "false_alarm", "done", *home),
        ("judge", number, "false_alarm, HTTP 409", "refused", *home),
    ]
    assert told[-1] == ("sign_in", login, "", "done", "password", "198.51.100.7")


def test_a_look_at_a_part_of_evidence_stands_in_the_log_once_for_all_parts(door: Door) -> None:
    town, login = door.town, door.account()
    picture = street(seed=22)
    town.sees("stopped_vehicle", "car", at=town.centre, picture=picture)
    digest = hashlib.sha256(picture).hexdigest()
    with door.browser() as client:
        enter(client, login)
        for part in ("bytes=1-", "bytes=100-200", "bytes=5-9"):  # nearly all of it, and more of it
            answer = client.get(f"/api/v1/evidence/{digest}", headers={"Range": part})
            assert answer.status_code == 206
    looks = [e.outcome for e in door.log(actor=login) if e.action == "show_evidence"]
    assert looks == ["done"]


def test_the_supervisor_reads_the_log_over_the_api_and_as_a_page(door: Door) -> None:
    login = door.account()
    with door.browser() as client:
        enter(client, login, "wrong")
        enter(client, login)
    with door.browser(**signed_in(door.town.hub, "Wu Min", Role.SUPERVISOR)) as client:
        page = client.get("/api/v1/audit", params={"actor": login, "limit": 1}).json()
        assert [(e["action"], e["outcome"]) for e in page["entries"]] == [("sign_in", "done")]
        more = client.get(
            "/api/v1/audit", params={"actor": login, "limit": 1, "cursor": page["next"]}
        ).json()
        assert [(e["action"], e["outcome"]) for e in more["entries"]] == [("sign_in", "refused")]
        for lang, words in (("en", "Signed in"), ("zh", "登录")):
            text = client.get("/audit", params={"who": login, "lang": lang}).text
            assert words in text
            assert login in text
        assert "No such entry" in client.get("/audit?who=nobody&day=2020-01-01&lang=en").text


def test_nothing_in_the_log_can_be_changed(door: Door) -> None:
    for statement in (
        "UPDATE audit SET actor = 'somebody else'",
        "UPDATE audit SET outcome = 'done'",
        "DELETE FROM audit",
        "TRUNCATE audit",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
            door.town.execute(statement)


def test_an_act_the_hub_died_in_stands_in_the_log_without_an_outcome(door: Door) -> None:
    hub, login = door.town.hub, door.account()
    with hub.pool.connection() as conn:
        id = audit.write(
            conn,
            at=hub.now() - timedelta(minutes=1),
            actor=login,
            role="dispatcher",
            login=login,
            via="session",
            address="::1",
            action="act",
            subject="1",
            outcome=None,
        )
    assert door.log(actor=login)[0].outcome is None
    with hub.pool.connection() as conn:
        audit.finish(conn, id, audit.DONE, "dispatch")
    with pytest.raises(psycopg.errors.RestrictViolation), hub.pool.connection() as conn:
        audit.finish(conn, id, audit.FAILED, "")


def test_accounts_and_tokens_are_kept_from_the_command_line(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*words: str) -> str:
        code = main([*words, *settings(door)])
        captured = capsys.readouterr()
        assert code == 0, captured.err
        return captured.out.strip()

    login = f"zhao {next(_numbers)}"
    password = told("accounts", "create", login, "--role", "leader", "--cells", "410105")
    assert f"{login}  leader in 410105" in told("accounts", "list")
    token = told("tokens", "create", login, "--name", "figures", "--role", "monitor")
    assert f"{login}: figures, monitor, never used" in told("tokens", "list", login)
    with door.browser() as client:
        assert enter(client, login, password).status_code == 303
        assert client.get("/metrics", headers=bearer(token)).status_code == 200
        assert "last used" in told("tokens", "list", login)
        other = told("accounts", "reset-password", login)
        assert other != password
        assert client.get("/account").status_code == 303
        link = told("accounts", "link", login)
        assert client.get(urlsplit(link).path).status_code == 303
        told("accounts", "disable", login)
        assert client.get("/account").status_code == 303
        problem(client.get("/metrics", headers=bearer(token)), 401)
        told("accounts", "enable", login)
        assert enter(client, login, other).status_code == 303
    log = told("audit", "--about", login, "--limit", "20")
    for act in ("create_account", "create_token", "reset_password", "make_link", "disable_account"):
        assert f"by command  {act} {login}" in log
    assert password not in log
    assert "reject" in told_of_roles(capsys)


def told_of_roles(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["accounts", "roles"]) == 0
    return capsys.readouterr().out


def test_an_account_that_makes_no_sense_is_refused_by_its_reason(
    door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = door.account()
    for words, why in (
        (["create", taken.upper(), "--role", "master"], "already"),
        (["create", " x", "--role", "master"], "no space around it"),
        (["create", "x", "--role", "device"], "there are assistant"),
        (["create", "x", "--role", "monitor"], "for systems"),
        (["create", "x", "--role", "leader", "--cells", "999"], "no cell of the grid"),
        (["create", "x", "--role", "leader", "--cells", "4101a"], "no grid code"),
        (["disable", "nobody"], "there is no account 'nobody'"),
    ):
        assert main(["accounts", *words, *settings(door)]) == 1
        assert why in capsys.readouterr().err


def test_an_unknown_login_takes_as_long_as_a_wrong_password() -> None:
    passwords = Passwords(AccountsConfig(argon2_memory_kib=8192, argon2_parallelism=1))
    stored = passwords.hashed(PASSWORD)
    passwords.fits(None, "x")  # what nobody knows is hashed once

    def cpu_s(stored: str | None) -> float:
        begun = time.thread_time()
        for _ in range(5):
            assert not passwords.fits(stored, "wrong")
        return time.thread_time() - begun

    assert 0.3 < cpu_s(None) / cpu_s(stored) < 3.0


def test_an_act_whose_outcome_cannot_be_written_is_answered_as_it_was_done(door: Door) -> None:
    login = door.account()
    number = door.town.sees("stopped_vehicle", "car", at=door.town.centre)
    door.town.execute(
        "ALTER TABLE audit ADD CONSTRAINT full_disk CHECK (outcome IS NULL) NOT VALID"
    )
    try:
        with door.browser(**signed_in(door.town.hub, login)) as client:
            body = {"name": "comment", "note": "looks parked"}
            answer = client.post(f"/api/v1/events/{number}/acts", json=body)
    finally:
        door.town.execute("ALTER TABLE audit DROP CONSTRAINT full_disk")
    assert answer.status_code == 200
    entry = door.log(actor=login)[0]
    assert (entry.action, entry.subject, entry.outcome) == ("act", number, None)
