"""The generated contract files: openapi/openapi.json, openapi/partner-record.schema.json and
mobile-contract/errors.json, errors.md."""

from pathlib import Path
from typing import Any

import msgspec

from api.app import collect_handlers
from api.openapi import document_bytes
from kernel.problems import PROBLEMS, ProblemType
from partners.records.schema import record_schema


def generated_files() -> dict[str, bytes]:
    """Path from the repository's root → content."""
    document = document_bytes(collect_handlers(demo=False))  # loads every package, so PROBLEMS is whole
    problems = [PROBLEMS[code] for code in sorted(PROBLEMS)]
    return {
        "openapi/openapi.json": document,
        "openapi/partner-record.schema.json": pretty(record_schema()),
        "mobile-contract/errors.json": catalogue(problems),
        "mobile-contract/errors.md": table(problems).encode(),
    }


def write_files(root: Path) -> list[Path]:
    """Write them all. Returns what was written."""
    written = []
    for name, content in generated_files().items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def differing_files(root: Path) -> list[str]:
    """The names of committed files that are not what the code generates."""
    return [
        name
        for name, content in generated_files().items()
        if not (root / name).exists() or (root / name).read_bytes() != content
    ]


def pretty(schema: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def catalogue(problems: list[ProblemType]) -> bytes:
    """errors.json: a list of {code, status, retryable, vi, en, next_vi, next_en}."""
    return msgspec.json.format(msgspec.json.encode({"problems": problems}), indent=2) + b"\n"


def table(problems: list[ProblemType]) -> str:
    """errors.md: the same for reading."""
    rows = [f"| `{p.code}` | {p.status} | {p.vi} {p.next_vi} | {p.en} {p.next_en} |" for p in problems]
    head = (
        "# Mã lỗi\n\nMade by `healthbook openapi` from the declarations in the code.\n\n"
        "| code | HTTP | tiếng Việt | English |\n|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"
