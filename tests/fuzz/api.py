"""Asks every operation of the OpenAPI document, what it allows and what it does not.

Each answer has to be one that the document tells of: its status, its media type, its schema; and
never a failure of the hub. Half of the questions are about things that are there.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks

from hub.domain.actor import Role
from tests.hub.api.city import AGENT, City, street
from tests.hub.staff import WEST, day, found, hire

ENDLESS = ("/api/v1/live",)  # streams that do not end by themselves
MAY_BE_AWAY = ("/readyz",)  # 503 is what it is for: no broker runs beside these tests
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_ANSWERS_WITHIN_S = 20.0


@dataclass(slots=True)
class Notes:
    """What came of the questions so far."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: dict[tuple[str, str], str] = field(default_factory=dict)  # each once an operation
    operations: int = 0


@dataclass(slots=True)
class Interview:
    """Somebody signed in who asks a hub."""

    url: str
    cookies: Mapping[str, str]
    there: Mapping[str, Sequence[object]]  # parameter of a path -> values that exist

    def ask(
        self,
        each: int,
        seed: int,
        only: str = "",
        told: Callable[[str], None] = lambda line: None,
        *,
        either: bool = False,
    ) -> Notes:
        """So many questions of each kind and operation.

        only: part of the operation's name. either: of one kind, what the document allows or what it
        does not, by the seed.
        """
        session = requests.Session()
        session.trust_env = False
        session.cookies.update(self.cookies)
        document = session.get(f"{self.url}/api/v1/openapi.json", timeout=_ANSWERS_WITHIN_S).json()
        notes = Notes()
        for result in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(result, Ok), result
            operation = result.ok()
            if operation.path in ENDLESS or only not in operation.label:
                continue
            notes.operations += 1
            kinds = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
            if either:
                kinds = [random.Random(f"{seed} {operation.label}").choice(kinds)]
            for mode in kinds:
                self._ask_operation(operation, mode, each, seed, session, notes)
            told(operation.label)
        return notes

    def _ask_operation(
        self,
        operation: APIOperation[Any, Any, Any, Any],
        mode: GenerationMode,
        each: int,
        seed: int,
        session: requests.Session,
        notes: Notes,
    ) -> None:
        chance = random.Random(f"{seed} {operation.label} {mode}")

        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.seed(seed)
        @given(operation.as_strategy(generation_mode=mode))
        def question(case: Case[Any]) -> None:
            self._name_what_is_there(case, chance)
            answer = case.call(base_url=self.url, session=session, timeout=_ANSWERS_WITHIN_S)
            notes.statuses[answer.status_code] += 1
            checked = CHECKS[operation.path in MAY_BE_AWAY :]
            try:
                case.validate_response(answer, checks=checked)
            except FailureGroup as failures:
                for failure in failures.exceptions:
                    key = (operation.label, f"{answer.status_code} {type(failure).__name__}")
                    told = f"{' '.join(key)}\n{failure}\n{case.as_curl_command()}"
                    notes.faults.setdefault(key, told)

        with suppress(Unsatisfiable):  # there is nothing it does not allow
            question()

    def _name_what_is_there(self, case: Case[Any], chance: random.Random) -> None:
        named: dict[str, Any] = dict(case.path_parameters or {})
        for name in named:
            if name in self.there and chance.random() < 0.5:
                named[name] = chance.choice(self.there[name])
        case.path_parameters = named


def busy(town: City) -> dict[str, Sequence[object]]:
    """Something of most kinds, and by which parameters paths name it."""
    picture = street(seed=3)
    numbers = [town.sees(picture=picture), town.reports("rubbish on the road")]
    with town.hub.pool.connection() as conn:
        found(conn, "urban")
        hire(conn, "wang", Role.ASSISTANT, WEST, shift=day(town.hub.now()))
    return {
        "number": numbers,
        "agent": [AGENT],
        "stream": ["cam-01"],
        "kind": ["flame"],
        "digest": [hashlib.sha256(picture).hexdigest()],
        "code": ["urban", "wang"],
        "id": [1],
    }
