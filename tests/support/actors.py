"""Somebody signed in for every word of docs/roles.md, and what a request of a route looks like."""

import re
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

from litestar.handlers import HTTPRouteHandler

from api.app import collect_handlers
from identity import practitioners, sessions
from identity.register import queries as register
from kernel.access import Role
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.oauth import make_partner, open_app
from tests.support.people import make_citizen, make_doctor, make_facility, make_machine

SOME_ID = "01985e2c-7a00-7abc-8def-0123456789ab"
FILLED = {"{month}": "2026-01", "{day}": "2026-01-31", "{finding_id}": "0" * 32}
ROLES: tuple[Role, ...] = get_args(Role)
WORDS = ("citizen", *ROLES, "facility-system", "kiosk", "partner", "app", "operator")


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    actors: tuple[str, ...]
    operation_id: str
    query: tuple[str, ...]

    @property
    def filled(self) -> str:
        """The path with an id that nobody has, or a month nobody counted, in each place."""
        parts = [FILLED.get(part, SOME_ID) if part.startswith("{") else part for part in self.path.split("/")]
        return "/".join(parts)


def routes(*, demo: bool = False) -> list[Route]:
    """Every route of the application as a handler declares it."""
    return [
        Route(
            method,
            re.sub(r":(uuid|str|int|path)}", "}", str(path)),
            handler.opt["actors"],
            str(handler.operation_id),
            required_query(handler),
        )
        for handler in collect_handlers(demo=demo)
        if isinstance(handler, HTTPRouteHandler)
        for path in sorted(handler.paths)
        for method in sorted(handler.http_methods)
    ]


def required_query(handler: HTTPRouteHandler) -> tuple[str, ...]:
    """Names of the query parameters without which the route answers 400."""
    return tuple(
        getattr(field.kwarg_definition, "query", None)
        or getattr(field.kwarg_definition, "name", None)
        or name
        for name, field in handler.parsed_fn_signature.parameters.items()
        if "Query" in type(field.kwarg_definition).__name__ and field.is_required
    )


async def make_operator(store: Store, clock: FrozenClock) -> str:
    """An operator's access token."""
    prepared = await practitioners.prepare_credential(store.keys, clock.now())
    async with store.transaction() as tx:
        user_name = f"operator.{prepared.actor_id.hex[-8:]}"
        await register.INSERT_OPERATOR.one(tx, prepared.actor_id, user_name, "Người vận hành", clock.now())
        await practitioners.keep_credential(tx, store.keys, prepared, clock.now())
        return await open_operator_session(tx, prepared.actor_id, clock)


async def open_operator_session(tx: Any, actor_id: UUID, clock: FrozenClock) -> str:
    tokens = await sessions.open_staff_session(tx, actor_id, "operator", None, clock.now())
    return tokens.access_token


async def sign_everybody_in(store: Store, clock: FrozenClock) -> dict[str, str]:
    """Actor word → access token of somebody of that kind."""
    facility = await make_facility(store, clock)
    tokens = {"citizen": (await make_citizen(store, clock)).token}
    for role in ROLES:
        tokens[role] = (await make_doctor(store, clock, facility, role=role)).token
    tokens["facility-system"] = (await make_machine(store, clock, facility)).token
    tokens["kiosk"] = (await make_machine(store, clock, facility, "kiosk")).token
    # Whoever asks at every door comes to each of them.
    at_every_door = {"quota_per_minute": 10_000}
    tokens["partner"] = (await (await make_partner(store, clock, **at_every_door)).opened(store)).token
    tokens["app"] = await open_app(store, clock, **at_every_door)
    tokens["operator"] = await make_operator(store, clock)
    return tokens
