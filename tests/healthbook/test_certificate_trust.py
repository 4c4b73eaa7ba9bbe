"""Lists of keys by the commands that operators type: pinned by two, sealed, loaded, refused, and told."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.support.hc1_texts import es256
from tests.support.service import environment, run_command_with

ONE = ("--operator", "Nguyễn Văn Vận Hành", "--reason", "danh sách khóa")
TWO = (*ONE, "--with", "Trần Thị Hai")
PUBLISHER = es256()
KEYS = [es256(country="DE") for _ in range(5)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    directory = tmp_path_factory.mktemp("place")
    ours = environment(
        directory / "data",
        HEALTHBOOK_KEYS=str(directory / "keys"),
        HEALTHBOOK_JOURNAL=str(directory / "journal"),
    )
    assert run(ours, "admin", "make-keys", str(directory / "keys"))[0] == 0
    assert run(ours, "migrate")[0] == 0
    (directory / "signer.pem").write_bytes(
        PUBLISHER.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (directory / "signer.key").write_bytes(
        PUBLISHER.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    ours["AT"] = str(directory)
    return ours


def run(place: dict[str, str], *arguments: str) -> tuple[int, str]:
    done = run_command_with(place, *arguments)
    return done.returncode, (done.stdout + done.stderr).decode()


def trust(place: dict[str, str], *arguments: str) -> tuple[int, str]:
    return run(place, "certificates", "trust", *arguments)


def written(place: dict[str, str], version: int, count: int) -> tuple[str, str]:
    """A list and its seal."""
    directory = Path(place["AT"])
    items = [
        {
            "certificateType": "DSC",
            "country": "DE",
            "kid": one.kid,
            "rawData": base64.b64encode(one.certificate).decode(),
        }
        for one in KEYS[:count]
    ]
    path, seal = directory / f"list{version}.json", directory / f"list{version}.seal"
    path.write_text(json.dumps(items))
    key = ("--key", str(directory / "signer.key"))
    out = ("--out", str(seal))
    code, said = trust(place, "seal", "eu", str(path), *key, "--version", str(version), *out)
    assert code == 0, said
    return str(path), str(seal)


def test_s29_a_list_from_its_pin_to_its_second_version(place: dict[str, str]) -> None:
    signer = str(Path(place["AT"]) / "signer.pem")
    pin = ("pin", "eu", "--form", "eu", "--signer", signer)
    assert trust(place, "list") == (0, "no list is pinned\n")
    for said, missing in ((ONE, "--with"), ((), "--operator")):
        code, text = trust(place, *pin, *said)
        assert code == 2
        assert missing in text
    assert trust(place, *pin, *TWO) == (0, "eu: pinned\n")

    first, first_seal = written(place, 1, 5)
    assert "not signed by the pinned signer" in trust(place, "load", "eu", first, *ONE)[1]
    assert trust(place, "load", "eu", first, "--seal", first_seal, *ONE) == (
        0,
        "eu: version 1, 5 keys added or changed, 0 gone\n",
    )
    assert "not newer" in trust(place, "load", "eu", first, "--seal", first_seal, *TWO)[1]

    second, second_seal = written(place, 2, 4)
    code, text = trust(place, "load", "eu", second, "--seal", second_seal, *ONE)
    assert code == 2
    assert "a second operator. The last good list stays." in text
    same = ("--with", "nguyễn văn vận hành")
    assert trust(place, "load", "eu", second, "--seal", second_seal, *ONE, *same)[0] == 2, "one person twice"
    assert trust(place, "load", "eu", second, "--seal", second_seal, *TWO) == (
        0,
        "eu: version 2, 0 keys added or changed, 1 gone\n",
    )
    assert trust(place, "revoke-key", "eu", KEYS[0].kid, *ONE)[0] == 2
    assert trust(place, "revoke-key", "eu", KEYS[0].kid, *TWO) == (0, f"eu: {KEYS[0].kid} revoked\n")
    told = trust(place, "list")[1]
    assert "version 2" in told
    assert "1 revoked" in told
