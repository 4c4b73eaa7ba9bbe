"""`healthbook certificates verify` and `conformance`: files alone, JSON out, exit 0 only when it holds."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from healthbook.cli import main
from tests.support.hc1_texts import NOW, es256, hc1
from tests.support.shared import shared
from tests.vaccination.verify.test_cards import card
from vaccination.revocation.hashes import hashes_of
from vaccination.verify.hc1 import read


def run(*arguments: str) -> Result:
    """Without a database or settings: a variable that is wrong would stop any command that reads them."""
    return CliRunner(env={"DATABASE_URL": "nonsense", "HEALTHBOOK_KEYS": "/nowhere"}).invoke(
        main, ["certificates", *arguments]
    )


def verified(*arguments: str) -> tuple[int, Any]:
    result = run("verify", *arguments, "--at", NOW.isoformat())
    return result.exit_code, json.loads(result.stdout)


def trust_of(path: Path, *signers: Any) -> str:
    items = [
        {"certificateType": "DSC", "country": "VN", "kid": one.kid, "rawData": _base64(one.certificate)}
        for one in signers
    ]
    path.write_text(json.dumps({"certificates": items, "issued_at": NOW.isoformat()}))
    return str(path)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_text_and_a_file_are_the_same(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)
    (tmp_path / "text.txt").write_text(text + "\n")
    for given in (text, str(tmp_path / "text.txt")):
        code, verdict = verified(given, "--trust", trust)
        assert (code, verdict["status"]) == (0, "VERIFIED")
        assert len(verdict["steps"]) == 13
    code, verdict = verified(text)
    assert (code, verdict["status"]) == (1, "ISSUER_NOT_TRUSTED")


def test_the_time_it_is_judged_at_decides(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)
    late = run("verify", text, "--trust", trust, "--at", "2027-06-01", "--max-age", "3650")
    assert (late.exit_code, json.loads(late.stdout)["status"]) == (1, "EXPIRED")
    stale = run("verify", text, "--trust", trust, "--at", "2026-06-03T00:00:00+07:00", "--max-age", "1")
    assert (stale.exit_code, json.loads(stale.stdout)["status"]) == (1, "TRUST_DATA_STALE")


def test_a_revocation_list_is_one_of_the_files(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)
    reading = read(text)
    for kind, value in reading.hashes[0].items():
        listed = tmp_path / f"{kind}.json"
        listed.write_text(json.dumps({"kid": signer.kid, "changes": 1, "hashes": {kind: [value.hex()]}}))
        assert verified(text, "--trust", trust, "--trust", str(listed))[1]["status"] == "REVOKED"
    other = hashes_of("VN", "another", -7, bytes(64))
    listed = tmp_path / "other.json"
    listed.write_text(json.dumps({"kid": signer.kid, "changes": 1, "hashes": {"uci": [other["uci"].hex()]}}))
    code, verdict = verified(text, "--trust", trust, "--trust", str(listed))
    assert (code, verdict["status"]) == (0, "VERIFIED")
    assert [step["outcome"] for step in verdict["steps"] if step["name"] == "revocation"] == ["passed"]


def test_a_part_of_a_revocation_list_is_not_taken_for_the_whole(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)

    def page(name: str, changes: int, behind: str | None, after: str | None, uci: str = "00" * 16) -> str:
        shown = {"kid": signer.kid, "changes": changes, "behind": behind, "after": after}
        (tmp_path / name).write_text(json.dumps(shown | {"hashes": {"uci": [uci]}}))
        return str(tmp_path / name)

    def revocation(*pages: str) -> tuple[str, str, list[str]]:
        named = [word for one in (trust, *pages) for word in ("--trust", one)]
        verdict = verified(text, *named)[1]
        step = next(step for step in verdict["steps"] if step["name"] == "revocation")
        return verdict["status"], step["outcome"], step["notes"]

    first, second, third = (
        page("1", 7, None, "uci.01"),
        page("2", 7, "uci.01", "uci.02"),
        page("3", 7, "uci.02", None),
    )
    part = ("VERIFIED", "warned", ["part-of-list"])
    for some in ((first,), (third,), (first, second), (first, third), (second, third)):
        assert revocation(*some) == part
    assert revocation(third, first, second) == ("VERIFIED", "passed", [])
    assert revocation(first, second, page("4", 8, "uci.02", None)) == part, "it changed meanwhile"
    ours = read(text).hashes[0]["uci"].hex()
    assert revocation(page("5", 7, "uci.01", "uci.02", ours))[0] == "REVOKED"


def test_s29_a_revocation_list_has_an_age_as_the_keys_have(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)
    listed = tmp_path / "list.json"
    for days, status in ((29, "VERIFIED"), (31, "TRUST_DATA_STALE")):
        made = (NOW - timedelta(days=days)).isoformat()
        shown = {"kid": signer.kid, "changes": 1, "issued_at": made, "hashes": {}}
        listed.write_text(json.dumps(shown))
        verdict = verified(text, "--trust", trust, "--trust", str(listed))[1]
        assert verdict["status"] == status
    step = next(step for step in verdict["steps"] if step["name"] == "revocation")
    assert (step["status"], step["notes"]) == ("TRUST_DATA_STALE", ["revocation-list"])


def test_a_file_of_two_cards_gives_two_verdicts_and_fails_with_either(tmp_path: Path) -> None:
    path = tmp_path / "cards.smart-health-card"
    path.write_text(json.dumps({"verifiableCredential": [card(es256()), card(es256())]}))
    code, shown = verified(str(path))
    assert (code, [one["status"] for one in shown["cards"]]) == (1, ["ISSUER_NOT_TRUSTED"] * 2)


def test_the_spec_issuers_cards_verify_with_its_key_set_and_no_other_issuers_name() -> None:
    keys = shared("data/shc/spec-issuer.jwks.json")
    text = str(shared("data/shc/dev-tools-testdata/test-example-1195-byte-qrnumeric.txt"))
    issuer = "https://spec.smarthealth.cards/examples/issuer"
    good = run("verify", text, "--trust", f"{issuer}={keys}", "--at", "2022-05-31")
    assert (good.exit_code, json.loads(good.stdout)["status"]) == (0, "VERIFIED")
    path = shared("data/shc/dev-tools-testdata/valid_key.json")
    bad = run("verify", text, "--trust", f"https://other.example={path}", "--at", "2022-05-31")
    assert (bad.exit_code, json.loads(bad.stdout)["status"]) == (1, "ISSUER_NOT_TRUSTED")


def test_a_key_set_without_its_issuer_says_that_any_issuers_name_passes() -> None:
    keys = str(shared("data/shc/spec-issuer.jwks.json"))
    text = str(shared("data/shc/dev-tools-testdata/test-example-1195-byte-qrnumeric.txt"))
    unnamed = run("verify", text, "--trust", keys, "--at", "2022-05-31")
    steps = {step["name"]: step for step in json.loads(unnamed.stdout)["steps"]}
    assert (steps["key"]["outcome"], steps["key"]["notes"]) == ("warned", ["key-of-unnamed-issuer"])
    assert "any issuer" in unnamed.stderr
    issuer = "https://spec.smarthealth.cards/examples/issuer"
    assert run("verify", text, "--trust", f"{issuer}={keys}", "--at", "2022-05-31").stderr == ""


@pytest.mark.parametrize(
    "issuer", ["http://localhost:8466/shc", "https://localhost:8466/shc/", "HTTPS://localhost/shc", "ftp://a"]
)
def test_an_address_that_is_no_issuer_is_told_from_a_file(issuer: str) -> None:
    keys = str(shared("data/shc/spec-issuer.jwks.json"))
    result = run("verify", "HC1:A", "--trust", f"{issuer}={keys}")
    assert result.exit_code == 2
    assert f"--trust {issuer}: " in result.stderr
    assert "https" in result.stderr


def test_a_revoked_card_of_the_public_set_is_told_by_its_issuers_list(tmp_path: Path) -> None:
    signer = es256()
    text = card(signer)
    listed = tmp_path / "crl.json"
    listed.write_text(json.dumps({"kid": signer.kid, "method": "rid", "ctr": 1, "rids": ["abc"]}))
    steps = verified(text, "--trust", str(listed))[1]["steps"]
    assert [step["status"] for step in steps if step["name"] == "revocation"] == ["REVOKED"]
    listed.write_text(json.dumps({"kid": signer.kid, "method": "rid", "ctr": 1, "rids": ["abc.5"]}))
    steps = verified(text, "--trust", str(listed))[1]["steps"]
    assert [step["outcome"] for step in steps if step["name"] == "revocation"] == ["passed"], "issued later"


def test_the_picture_of_viet_nam_is_read_from_its_file() -> None:
    code, verdict = verified(
        str(shared("data/dgc/qa/VN/1.3.0/VAC_VN.png")), "--trust", str(shared("data/dgc/trust_testdata.json"))
    )
    assert (code, verdict["status"], verdict["algorithm"]) == (1, "ISSUER_NOT_TRUSTED", "PS256")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.png", b"\x89PNG\r\n\x1a\nnothing"),
        ("bytes.txt", b"\xff\xfe\x00"),
        ("none.smart-health-card", b'{"verifiableCredential": []}'),
        ("other.json", b'{"a": 1}'),
        ("code.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        ("code2.svg", b'\n<?xml version="1.0"?><svg/>'),
        ("paper.pdf", b"%PDF-1.7\n"),
    ],
)
def test_a_file_that_holds_nothing_to_check_is_exit_2(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    result = run("verify", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{name}: ")
    assert ("save the PNG" in result.stderr) == name.endswith((".svg", ".pdf"))


def test_the_answers_of_our_own_routes_are_read_as_they_were_saved(tmp_path: Path) -> None:
    signer = es256()
    text, trust = hc1(signer), trust_of(tmp_path / "trust.json", signer)
    saved = tmp_path / "text"
    saved.write_text(json.dumps({"certificate_id": "0651e5f3-0000-7000-8000-000000000000", "text": text}))
    code, verdict = verified(str(saved), "--trust", trust)
    assert (code, verdict["status"]) == (0, "VERIFIED")
    codes = [{"qr": card(signer), "jws": "eyJ.eyJ.eyJ"}] * 2
    saved.write_text(json.dumps({"card_id": "0651e5f3-0000-7000-8000-000000000000", "codes": codes}))
    code, shown = verified(str(saved))
    assert (code, [one["status"] for one in shown["cards"]]) == (1, ["ISSUER_NOT_TRUSTED"] * 2)


@pytest.mark.parametrize("name", ["nofile.txt", "nofile", "a/b/code.png", "no.such.file", ".", ""])
def test_a_file_that_is_not_there_is_no_bad_certificate(tmp_path: Path, name: str) -> None:
    result = run("verify", str(tmp_path / name) if name != "" else "")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "HC1:" in result.stderr


@pytest.mark.parametrize("text", ["HC1:", "HC2:ABC", "hc1:6BF", "shc:", "eyJ.eyJ.eyJ", "6BFOXN" * 60])
def test_a_text_gets_its_verdict_however_broken(text: str) -> None:
    code, verdict = verified(text)
    assert (code, len(verdict["steps"])) == (1, 13)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"keys": [{}]}', b'{"a": "b"}', b'{"kid": "a", "rids": 1}']
)
def test_a_trust_file_that_cannot_be_read_is_exit_2_and_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "trust").write_bytes(content)
    result = run("verify", "HC1:A", "--trust", str(tmp_path / "trust"))
    assert result.exit_code == 2
    assert "--trust" in result.stderr
    assert run("verify", "HC1:A", "--trust", str(tmp_path / "absent")).exit_code == 2
    assert run("verify", "HC1:A", "--at", "tomorrow").exit_code == 2


def test_conformance_prints_each_check_and_writes_its_report(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    result = run("conformance", str(shared("data/dgc")), "--out", str(out))
    assert result.exit_code == 0, result.stdout
    assert "EXPECTEDVERIFY: 283/283\n" in result.stdout
    assert "EXPECTEDSCHEMAVALIDATION: 224/283, 59 exempt\n" in result.stdout
    assert json.loads(out.read_bytes())["is_conformant"] is True


def test_conformance_fails_for_one_difference_and_for_nothing_to_compare(tmp_path: Path) -> None:
    empty = run("conformance", str(tmp_path))
    assert (empty.exit_code, "no vectors" in empty.stderr) == (2, True)
    vector = json.loads(shared("data/dgc/AE/2DCode/raw/vaccine.json").read_text("utf-8-sig"))
    vector["EXPECTEDRESULTS"]["EXPECTEDVERIFY"] = False
    (tmp_path / "1.json").write_text(json.dumps(vector))
    result = run("conformance", str(tmp_path))
    assert result.exit_code == 1
    assert "differs: 1.json EXPECTEDVERIFY expected False" in result.stdout
