"""The pictures that every verifier should read (dcc-quality-assurance): each decodes, and what has no key
here is of an issuer that is not trusted, Viet Nam's among them."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from qr.reading import read_codes
from tests.support.shared import shared
from vaccination.hc1 import cbor, cose
from vaccination.trust.readers import read_list
from vaccination.verify.hc1 import content_of
from vaccination.verify.judging import Known, judge
from vaccination.verify.models import Verdict
from vaccination.verify.texts import read


def rows() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(shared("data/dgc/qa/expected.json").read_bytes())
    return listed


def picture(row: dict[str, Any]) -> str:
    (text,) = read_codes(Path(shared("data/dgc/qa"), row["file"]).read_bytes())
    return text


def judged(row: dict[str, Any]) -> Verdict:
    keys = read_list(shared("data/dgc/trust_testdata.json").read_bytes()).keys
    at = datetime.fromtimestamp(row["iat"], UTC) + timedelta(seconds=10)
    return judge(read(picture(row)), Known(keys=keys), at)


def test_every_picture_decodes_to_its_text_and_its_payload() -> None:
    listed = rows()
    assert len(listed) == len(list(shared("data/dgc/qa").rglob("*.png"))) == 40
    for row in listed:
        text = picture(row)
        assert text == row["text"], row["file"]
        assert content_of(cbor.decode(cose.unpack(text).payload)) == row["payload"], row["file"]


def test_every_picture_gets_the_verdict_that_is_expected() -> None:
    found: Counter[str] = Counter()
    for row in rows():
        verdict = judged(row)
        wanted = "VERIFIED" if row["signature"] == "valid" else "ISSUER_NOT_TRUSTED"
        assert verdict.status == wanted, row["file"]
        assert verdict.kid == row["kid"], row["file"]
        assert verdict.algorithm == {-7: "ES256", -37: "PS256"}[row["alg"]], row["file"]
        found[verdict.status] += 1
    assert found == {"VERIFIED": 8, "ISSUER_NOT_TRUSTED": 32}


def test_three_leave_the_schema_and_no_others() -> None:
    broken = {
        row["file"]
        for row in rows()
        if judge(read(picture(row)), Known(), datetime.now(UTC), is_strict=True).steps[-2].outcome == "failed"
    }
    assert broken == {row["file"] for row in rows() if not row["schema_valid"]}
    assert len(broken) == 3


def test_viet_nams_is_of_an_issuer_not_trusted_and_not_invalid() -> None:
    (row,) = (row for row in rows() if row["file"].startswith("VN/"))
    verdict = judged(row)
    assert (verdict.status, verdict.algorithm, verdict.issuer) == ("ISSUER_NOT_TRUSTED", "PS256", "VN")
    assert verdict.holder is not None
    assert verdict.holder.given_name == "Bảo Duy"
    assert verdict.statements[0].issuer == "Ban Co Yeu"
    assert [step.name for step in verdict.steps if step.status] == ["key"]
