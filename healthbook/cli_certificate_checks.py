"""`healthbook certificates verify|conformance`: both work on files alone, without a database."""

import errno
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthbook.cli_acts import NEW_FILE, fail

if TYPE_CHECKING:
    from vaccination.verify.offline import Files

# Ours; no rule names a number. A list without a date of its own is of no age.
MAX_AGE_DAYS = 30
# What begins as a text of a code does, right or wrong: `HC1:`, `shc:/`, the header of a JWS.
_TEXT = re.compile(r"[A-Za-z0-9]{3}:|eyJ")
_ADDRESS = re.compile(r"([A-Za-z]+://[^=]*)=(.*)\Z", re.S)
_ISSUER = re.compile(r"https://.*[^/]\Z", re.S)


@click.command()
@click.argument("text_or_file")
@click.option(
    "--trust",
    multiple=True,
    metavar="[ISSUER=]FILE",
    help="Keys or revocations, any form; before a health card issuer's key set its address (https://…), else"
    " any issuer's name passes under its keys.",
)
@click.option(
    "--at", metavar="TIME", help="Judge as at this time (ISO 8601, UTC without a zone); now unless set."
)
@click.option(
    "--max-age", type=click.IntRange(1, 3650), default=MAX_AGE_DAYS, help="Days that a dated list counts."
)
@click.option("--strict", is_flag=True, help="What leaves the schema is an error.")
@click.option("--demo", is_flag=True, help="Believe a demo's keys too (country XX, for tests).")
def verify(
    text_or_file: str, trust: tuple[str, ...], at: str | None, max_age: int, strict: bool, demo: bool
) -> None:
    """Check a certificate (HC1:…), a health card (shc:/…, .smart-health-card) or a picture of one.

    Prints the verdict of every step as JSON. Exit 0 only when verified, 1 when not, 2 when it was not asked
    properly. Nothing leaves this machine: whose key is not in a --trust file is not trusted.
    """
    import msgspec

    from vaccination.verify.judging import judge
    from vaccination.verify.texts import read

    now = _time_of(at)
    files = _files_of(trust, timedelta(days=max_age), demo=demo)
    verdicts = []
    for text in _texts_of(text_or_file):
        reading = read(text)
        verdicts.append(judge(reading, files.known(reading), now, is_strict=strict))
    shown = verdicts[0] if len(verdicts) == 1 else {"cards": verdicts}
    click.echo(msgspec.json.format(msgspec.json.encode(shown)).decode())
    if any(verdict.status != "VERIFIED" for verdict in verdicts):
        raise SystemExit(1)


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--out", type=NEW_FILE, help="Write the whole report here, as JSON.")
def conformance(directory: Path, out: Path | None) -> None:
    """Run a folder of the official vectors (dgc-testdata) and print matched/expected of each check.

    Exit 0 only when everything matches but what is exempt: vectors whose own issue says that they are wrong.
    """
    import msgspec

    from vaccination.verify import conformance as vectors

    paths = sum(1 for _ in directory.rglob("*.json"))
    with click.progressbar(length=paths, label="vectors") as bar:
        report = vectors.conformance(directory, lambda: bar.update(1))
    for check, count in report.checks.items():
        exempt = f", {count.exempt} exempt" if count.exempt else ""
        click.echo(f"{check}: {count.matched}/{count.expected}{exempt}")
    for path in report.unreadable:
        click.echo(f"not JSON: {path}")
    for row in report.differences:
        if row.why is None:
            click.echo(f"differs: {row.path} {row.check} expected {row.expected}")
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    if not report.checks:
        fail(f"{directory}: no vectors (JSON with EXPECTEDRESULTS) in this folder")
    if not report.is_conformant:
        raise SystemExit(1)


def _time_of(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        fail(f"--at {text}: not a time such as 2026-01-31T08:00:00+07:00")
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


def _files_of(trust: tuple[str, ...], max_age: timedelta, *, demo: bool) -> "Files":
    from vaccination.trust.readers import ListError
    from vaccination.verify.offline import Files

    files = Files(demo=demo)
    for named in trust:
        issuer, path = _issuer_and_path(named)
        try:
            form = files.add(path.read_bytes(), max_age, issuer)
        except OSError as error:
            fail(f"--trust {path}: {error.strerror}")
        except ListError as error:
            fail(f"--trust {path}: {error}")
        if form == "jwks" and issuer is None:
            click.echo(f"--trust {path}: no ISSUER= before it: any issuer's name passes", err=True)
    return files


def _issuer_and_path(named: str) -> tuple[str | None, Path]:
    found = _ADDRESS.match(named)
    if found is None:
        return None, Path(named)
    if not _ISSUER.match(found[1]):
        fail(f"--trust {found[1]}: an issuer is https://… without a slash at its end: `iss` of its cards")
    return found[1], Path(found[2])


def _texts_of(text_or_file: str) -> list[str]:
    """The text itself, or what the file of that name holds: a text, cards, or a picture with codes."""
    from qr.reading import PictureError, read_codes
    from vaccination.verify.files import FileError, texts_of

    if text_or_file.startswith(("HC1:", "shc:/")):
        return [text_or_file]
    path = Path(text_or_file)
    try:
        data = path.read_bytes()
    except OSError as error:
        if _TEXT.match(text_or_file) or error.errno == errno.ENAMETOOLONG:
            return [text_or_file]
        fail(f"{text_or_file}: {error.strerror}. A text of a code begins with HC1: or shc:/")
    try:
        return texts_of(data) or read_codes(data)[:1] or fail(f"{path.name}: no code in this picture")
    except (FileError, PictureError) as error:
        fail(f"{path.name}: {error}")
