"""What a child does alone on a device of its own (consent.md §7): every signed act, and every act that
lets somebody in, at each age, with a frozen clock."""

from datetime import date, timedelta
from typing import Any, get_args

import pytest

from consent.decision import decide
from family.policy import ALONE_FROM
from family.problems import ADULTS_ONLY, GUARDIAN_NEEDED
from kernel.access import Access, Action
from kernel.problems import Refused
from store.database import Store
from tests.support.actors import routes
from tests.support.clock import FrozenClock
from tests.support.family import actor_now, midnight
from tests.support.http import bearer, client_of
from tests.support.people import Citizen, make_citizen
from tests.test_routes import BODIES

SECOND = timedelta(seconds=1)
# From 15: what lets somebody in, what is agreed to, the account. From 18: what cannot be taken back, or is
# an adult's by law.
FROM_15: set[Action] = {
    "share-record",
    "connect-app",
    "manage-emergency-card",
    "confirm-grants",
    "manage-purposes",
    "manage-rights",
    "close-account",
}
FROM_18: set[Action] = {"ask-erasure", "manage-wishes", "make-proxy"}
# Nobody needs an age to read, to take back, to object or to say yes to a guardian's answer.
ALWAYS: set[Action] = {
    "read-summary",
    "read-section",
    "read-document",
    "consult",
    "read-prescriptions",
    "read-access-log",
    "read-notifications",
    "read-account",
    "identify",
    "answer-request",
    "guard-grants",
    "manage-grants",
    "manage-devices",
    "manage-family",
    "link-family",
    "manage-record",
    "dismiss-finding",
    "add-to-record",
    "manage-reminders",
    "write-vitals",
    "delete-vitals",
    "export-record",
    "open-case",
    "assent",
}
# Signed or letting somebody in, by operation → the age from which it is done alone.
SIGNED = {
    "me_share_link": 15,
    "me_arm_share_link": 15,
    "me_confirm_share_link": 15,
    "me_share_code": 15,
    "me_approve_app_request": 15,
    "me_confirm_connected_app": 15,
    "me_set_emergency_card": 15,
    "me_renew_emergency_card": 15,
    "me_name_emergency_contact": 15,
    "me_confirm_grant": 15,
    "me_renew_grant": 15,
    "me_say_to_purpose": 15,
    "ask_about_own_data": 15,
    "close_account": 15,
    "ask_erasure": 18,
    "me_state_wish": 18,
    "me_invite_proxy": 18,
    "me_accept_proxy": 18,
    "me_renew_proxy": 18,
}
# Signed, and open at every age, with the reason.
AT_EVERY_AGE = {
    "me_approve_request": "age makes its terms: refused below 15 when the request is there (tests/consent)",
    "me_tick_guardian_labels": "between 15 and 18 alone, by the link",
    "object_to_death": "a sign of life",
    "trust_device": "whose phone is whose asks for no age",
    "change_pin": "a PIN of one's own",
    "start_phone_change": "the phone of one's own account",
}


async def alone(store: Store, clock: FrozenClock, who: Citizen) -> dict[Action, str]:
    """Every act of the own book: done, or the code of the refusal."""
    actor, told = await actor_now(store, clock, who), {}
    for action in sorted(FROM_15 | FROM_18 | ALWAYS):
        async with store.transaction() as tx:
            found = await decide(tx, actor, who.patient_id, action, "PATRQT", clock.now(), keys=store.keys)
        told[action] = found.problem.code if isinstance(found, Refused) else "done"
    return told


def expected(*, at_15: bool, at_18: bool) -> dict[Action, str]:
    table: dict[Action, str] = dict.fromkeys(ALWAYS, "done")
    table |= dict.fromkeys(FROM_15, "done" if at_15 else GUARDIAN_NEEDED.code)
    return table | dict.fromkeys(FROM_18, "done" if at_18 else ADULTS_ONLY.code)


@pytest.mark.parametrize(
    ("birth_date", "fifteen", "eighteen"),
    [
        ("2011-11-23", date(2026, 11, 23), date(2029, 11, 23)),
        ("2012-02-29", date(2027, 3, 1), date(2030, 3, 1)),
        ("2012", date(2027, 12, 31), date(2030, 12, 31)),
    ],
)
async def test_guardian_overreach_each_act_of_a_child_waits_for_its_birthday(
    store: Store, clock: FrozenClock, birth_date: str, fifteen: date, eighteen: date
) -> None:
    child = await make_citizen(store, clock, birth_date=birth_date)
    steps = [
        (midnight(fifteen) - SECOND, expected(at_15=False, at_18=False)),
        (midnight(fifteen), expected(at_15=True, at_18=False)),
        (midnight(eighteen) - SECOND, expected(at_15=True, at_18=False)),
        (midnight(eighteen), expected(at_15=True, at_18=True)),
    ]
    for instant, table in steps:
        clock.set(instant)
        assert await alone(store, clock, child) == table, instant


@pytest.mark.parametrize("birth_date", ["2022-01-01", "2018-01-01"])
async def test_a_child_of_any_band_below_fifteen_is_stopped_alike(
    store: Store, clock: FrozenClock, birth_date: str
) -> None:
    child = await make_citizen(store, clock, birth_date=birth_date)
    assert await alone(store, clock, child) == expected(at_15=False, at_18=False)


async def test_who_cannot_show_an_age_does_nothing_that_asks_for_one(
    store: Store, clock: FrozenClock
) -> None:
    adult = await make_citizen(store, clock)
    async with store.transaction() as tx:
        for action in ALONE_FROM:
            found = await decide(tx, adult.actor, adult.patient_id, action, "PATRQT", clock.now())
            assert isinstance(found, Refused), action
        found = await decide(tx, adult.actor, adult.patient_id, "read-summary", "PATRQT", clock.now())
        assert isinstance(found, Access)


def test_every_age_is_in_the_table_and_of_a_known_act() -> None:
    assert set(ALONE_FROM) == FROM_15 | FROM_18
    assert set(ALONE_FROM) <= set(get_args(Action))


def test_every_signed_route_has_an_age_or_a_reason() -> None:
    """A route whose body is signed, or whose header is, is judged here by name."""
    signed = {
        route.operation_id
        for route in routes()
        if route.path.startswith("/v1/me") and "signed" in str(BODIES.get(route.operation_id, {}))
    }
    assert signed <= set(SIGNED) | set(AT_EVERY_AGE)


@pytest.mark.parametrize(
    ("birth_date", "age"), [("2023-01-01", 3), ("2018-01-01", 8), ("2010-01-01", 16), ("1990-01-01", 36)]
)
async def test_guardian_overreach_every_signed_route_asks_for_its_age(
    store: Store, clock: FrozenClock, birth_date: str, age: int
) -> None:
    person = await make_citizen(store, clock, birth_date=birth_date)
    found: dict[str, Any] = {}
    async with client_of(store, clock) as client:
        for route in routes():
            if route.operation_id not in SIGNED:
                continue
            answer = await client.request(
                route.method, route.filled, json=BODIES[route.operation_id], headers=bearer(person.token)
            )
            found[route.operation_id] = answer.json()["code"] if answer.status_code >= 400 else "done"
    assert set(found) == set(SIGNED)
    for operation, code in found.items():
        young = age < SIGNED[operation]
        wanted = ADULTS_ONLY.code if SIGNED[operation] == 18 else GUARDIAN_NEEDED.code
        assert (code == wanted) == young, (operation, code)
