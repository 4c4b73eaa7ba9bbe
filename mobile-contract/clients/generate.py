"""One client a language, generated from the document into a folder; an old one there goes first."""

import json
import shutil
import tempfile
from pathlib import Path

import tools

DOCUMENT = tools.ROOT / "openapi" / "openapi.json"

# enumUnknownDefaultCase: a value that came after this app was built parses into a member of its own.
OPTIONS = {
    "kotlin": (
        "kotlin",
        "--library=jvm-okhttp4",
        "--additional-properties=packageName=healthbook.client,serializationLibrary=kotlinx_serialization,"
        "enumUnknownDefaultCase=true",
    ),
    "swift": (
        "swift6",
        "--additional-properties=projectName=HealthbookClient,enumUnknownDefaultCase=true",
    ),
    "dart": (
        "dart-dio",
        "--additional-properties=pubName=healthbook_client,serializationLibrary=json_serializable,"
        "enumUnknownDefaultCase=true",
    ),
}

# Of what comes by push and by QR, no operation tells: quicktype's language, its options, and where among the
# sources its file goes.
PAYLOADS = {
    "typescript": ("typescript", (), "payloads.ts"),
    "kotlin": (
        "kotlin",
        ("--framework=kotlinx", "--package=healthbook.payloads"),
        "src/main/kotlin/healthbook/payloads/Payloads.kt",
    ),
    "swift": ("swift", ("--access-level=public",), "Sources/HealthbookClient/Payloads.swift"),
    "dart": ("dart", (), "lib/payloads.dart"),
}
# A class is named after a schema's title, and two members of one name in two schemas would be one class.
TITLES = {
    "PushData": ("push.schema.json", {"v": "PayloadVersion", "type": "PushType"}),
    "QrPayload": ("qr.schema.json", {"v": "PayloadVersion", "kind": "QrKind"}),
}


def generated(language: str, into: Path, document: Path = DOCUMENT) -> Path:
    """The folder with the sources. Raises NotMadeError."""
    shutil.rmtree(into, ignore_errors=True)
    if language == "typescript":
        _typescript(into, document)
    else:
        _operations(language, into, document)
    _payloads(language, into)
    return into


def _operations(language: str, into: Path, document: Path) -> None:
    generator, *options = OPTIONS[language]
    tools.run(
        [
            *(tools.java(), "-Xmx2g", "-jar", tools.generator_jar(), "generate", "-g", generator),
            *("-i", document, "-o", into, "--skip-validate-spec"),
            "--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
            *options,
        ]
    )


def _typescript(into: Path, document: Path) -> None:
    into.mkdir(parents=True)
    tools.run(
        ["node", tools.npm() / "openapi-typescript" / "bin" / "cli.js", document, "-o", into / "service.d.ts"]
    )


def _payloads(language: str, into: Path) -> None:
    name, options, where = PAYLOADS[language]
    (into / where).parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        schemas = [Path(made) / f"{title}.json" for title in TITLES]
        for place in schemas:
            place.write_text(json.dumps(_titled(place.stem)))
        program = tools.npm() / "quicktype" / "dist" / "index.js"
        kind = ("--lang", name, *options, "--src-lang", "schema", "--quiet")
        tools.run(["node", program, *kind, *schemas, "-o", into / where])


def _titled(title: str) -> dict[str, object]:
    file, members = TITLES[title]
    schema: dict[str, object] = json.loads((tools.ROOT / "mobile-contract" / file).read_text())
    properties = schema["properties"]
    assert isinstance(properties, dict)
    for member, name in members.items():
        properties[member]["title"] = name
    return schema | {"title": title}
