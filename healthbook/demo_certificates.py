"""Vaccination certificates of the demo: two facilities may vaccinate, operators checked what these sent
late, and one adult has a certificate of his last COVID-19 dose and a health card. Others can ask for theirs;
the clinic has no authority, so that its people read why not."""

from datetime import date, datetime
from typing import Final

from msgspec.structs import replace

from audit.service import record_act, record_read
from consent.decision import decide
from healthbook.certificate_commands import confirm_late_doses, grant_authority
from healthbook.demo_accounts import Activated, granted
from healthbook.demo_facilities import HOSPITAL, STATION
from kernel.access import Access
from kernel.ids import uuid7
from store.database import Store, Tx
from vaccination.book.reading import doses_of
from vaccination.certificates import issuing
from vaccination.certificates.eligibility import is_covid
from vaccination.certificates.reading import judged_of
from vaccination.shc import issuing as cards
from vaccination.shc.keys import issuer_of
from vaccination.shc.reading import shown_card
from vaccination.signer.ports import Signer

WHO: Final = "hung"
WHERE: Final = (HOSPITAL, STATION)
SINCE: Final = date(2015, 1, 1)
OPERATORS: Final = "vh.mot + vh.hai"


async def certify_some(
    store: Store, signer: Signer, citizens: list[Activated], base_url: str, now: datetime
) -> None:
    """`base_url`: where the demo is served, for the issuer's address on the card."""
    for facility in WHERE:
        await grant_authority(store, facility.code, SINCE, None, (OPERATORS, "quyết định của Sở Y tế (mẫu)"))
        checked = (OPERATORS, "đối chiếu cả tệp với sổ giấy (mẫu)")
        await confirm_late_doses(store, facility.code, checked, lambda _: None)
    person = next(one for one in citizens if one.card.key == WHO)
    await _certify(store, signer, person, now)
    await _make_card(store, signer, person, base_url, now)


async def _certify(store: Store, signer: Signer, person: Activated, now: datetime) -> None:
    """The certificate of the last COVID-19 dose, as the app asks for it."""
    async with store.transaction() as tx:
        access = await _access(tx, store, person, now)
        newest = next(one for one in await doses_of(tx, access, now) if is_covid(one))
        judged = granted(await judged_of(tx, access, newest.immunization_id, now))
        begun = granted(await issuing.begin(tx, store.keys, access.patient_id, judged, now))
    assert isinstance(begun, issuing.ToSign), "it is the first one"
    signature = await issuing.sign(signer, begun)
    async with store.transaction() as tx:
        granted(await issuing.complete(tx, store.keys, begun, signature, now))
        await record_act(
            tx,
            access.patient_id,
            access.actor,
            "vaccination:certificate:issue",
            purpose=access.purpose,
            resources=[("Immunization", newest.immunization_id)],
            request_id=str(uuid7(now)),
            now=now,
        )


async def _make_card(store: Store, signer: Signer, person: Activated, base_url: str, now: datetime) -> None:
    """The card of what he was given as a grown man."""
    async with store.transaction() as tx:
        access = await _access(tx, store, person, now)
        begun = granted(await cards.begin(tx, store.keys, access, "adult", issuer_of(base_url), now))
    assert isinstance(begun, cards.ToSign), "it is the first one"
    signatures = await cards.sign(signer, begun)
    async with store.transaction() as tx:
        access = await _access(tx, store, person, now)
        made = granted(await cards.complete(tx, store.keys, access, begun, signatures, now))
        built = shown_card(store.keys, made)
        await record_read(
            tx,
            access,
            resources=built.shown,
            body=built.body,
            outcome="ok",
            request_id=str(uuid7(now)),
            now=now,
            part="health-card",
        )


async def _access(tx: Tx, store: Store, person: Activated, now: datetime) -> Access:
    who = replace(person.actor, probation=False)
    return granted(await decide(tx, who, who.actor_id, "issue-certificate", "PATRQT", now, keys=store.keys))
