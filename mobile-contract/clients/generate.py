"""One client a language, generated from the document into a folder; an old one there goes first."""

import shutil
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


def generated(language: str, into: Path, document: Path = DOCUMENT) -> Path:
    """The folder with the sources. Raises NotMadeError."""
    shutil.rmtree(into, ignore_errors=True)
    if language == "typescript":
        return _typescript(into, document)
    generator, *options = OPTIONS[language]
    tools.run(
        [
            *(tools.java(), "-Xmx2g", "-jar", tools.generator_jar(), "generate", "-g", generator),
            *("-i", document, "-o", into, "--skip-validate-spec"),
            "--global-property=apiTests=false,modelTests=false,apiDocs=false,modelDocs=false",
            *options,
        ]
    )
    return into


def _typescript(into: Path, document: Path) -> Path:
    into.mkdir(parents=True)
    tools.run(
        ["node", tools.npm() / "openapi-typescript" / "bin" / "cli.js", document, "-o", into / "service.d.ts"]
    )
    return into
