"""docs/facilities.md is enough to send a prescription: its sample is taken as it stands."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec

from ehr.prescriptions.national import NationalDiagnosis, NationalDrug, NationalPrescription
from store.database import Store
from tests.support.clock import FrozenClock
from tests.support.http import bearer, client_of
from tests.support.people import make_facility, make_machine

DOC = (Path(__file__).parents[3] / "docs" / "facilities.md").read_text()
SECTION = DOC.partition("\n## E-prescriptions\n")[2].partition("\n## ")[0]
SEND = "/v1/facility/prescriptions"


def sample() -> dict[str, Any]:
    found = re.search(r"```json\n(.*?)```", SECTION, re.DOTALL)
    assert found is not None
    body: dict[str, Any] = json.loads(found[1])
    return body


def names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


def test_the_sample_and_the_table_name_every_field() -> None:
    told = sample()["prescription"]
    assert set(told) == names(NationalPrescription)
    assert set(told["chan_doan"][0]) == names(NationalDiagnosis)
    assert set(told["thong_tin_don_thuoc"][0]) == names(NationalDrug)
    table = SECTION.partition("| field | |")[2]
    every = names(NationalPrescription) | names(NationalDiagnosis) | names(NationalDrug)
    assert not [name for name in every if f"`{name}`" not in table]


async def test_the_sample_is_taken_and_another_facility_is_told_which_field_is_wrong(
    store: Store, clock: FrozenClock
) -> None:
    own = await make_machine(store, clock, await make_facility(store, clock, "99D01"))
    other = await make_machine(store, clock, await make_facility(store, clock))
    async with client_of(store, clock) as client:
        sent = await client.post(SEND, json=sample(), headers=bearer(own.token))
        assert sent.status_code == 202, sent.text
        refused = await client.post(SEND, json=sample(), headers=bearer(other.token))
        assert refused.status_code == 422
        assert refused.json()["errors"] == [{"where": "facility-mismatch ma_don_thuoc"}]
