"""What the pages for app teams name exists: each address, and each signed act at the demo's hand."""

import re
from pathlib import Path

import msgspec

from healthbook.demo_acts import ACTS

ROOT = Path(__file__).parents[1]
CONTRACT = ROOT / "mobile-contract"
# Signed inside another act, by another verb of `healthbook as`, or on a download.
BESIDE = {"consent-approve", "consent-label", "share-code-label", "export-record"}


def test_each_address_of_the_contract_is_one_of_the_api() -> None:
    document = msgspec.json.decode((ROOT / "openapi" / "openapi.json").read_bytes())
    known = {re.sub(r"\{[^}]*\}", "{}", path) for path in document["paths"]}
    pages = ("README.md", "policy.md", "device-keys.md", "auth.md", "versions.md")
    text = "\n".join((CONTRACT / name).read_text() for name in pages)
    named = set(re.findall(r"`(?:(?:GET|POST|PUT|PATCH|DELETE) )?(/v1/[^\s`?…*]*[^\s`?…*/])`", text))
    assert len(named) > 60
    assert {one for one in named if re.sub(r"\{[^}]*\}", "{}", one) not in known} == set()


def test_the_demo_s_phone_signs_every_act_that_the_contract_lists() -> None:
    table = (CONTRACT / "device-keys.md").read_text().partition("| act | `typ` |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"^\| [^|]+ \| `([a-z-]+)` \|", table, re.MULTILINE))
    assert len(listed) > 20
    assert listed - {act.typ for act in ACTS} == BESIDE
