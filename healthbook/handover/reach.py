"""Whether everything that an end destroys can be removed from here: asked before anything is touched."""

import os
from collections.abc import Iterator
from pathlib import Path

from healthbook.settings import Settings
from healthbook.wiring import StartError


def refuse_unreachable(settings: Settings, directory: Path) -> None:
    """Raises StartError for the first thing that this account may not remove here.

    In containers keys are mounted for reading alone: tables and backups would be gone, and keys could not go.
    directory: of the hand-over, beside which the certificate is written.
    """
    for path in (directory, *_to_remove(settings)):
        # The account's that acts, whoever started it.
        if path.exists() and not os.access(path, os.W_OK, effective_ids=True):
            raise StartError(
                f"{path} cannot be written here, so not all could be destroyed; nothing was touched. Mount "
                "it writable and give it to this account; in containers as docs/runbook.md says of the end."
            )


def _to_remove(settings: Settings) -> Iterator[Path]:
    """Key files, which are written over, and every directory that something is removed from."""
    for place in (settings.keys, settings.signer_keys):
        yield from (path for path in place.rglob("*") if path.is_file())
    places = [settings.data, settings.keys, settings.signer_keys, settings.backup_spool]
    if settings.healthbook_backup and not settings.backup_bucket:
        places.append(settings.backup)
    for place in places:
        yield place
        # A server's own directory belongs to the server, whose files are never looked through.
        for root, names, _ in os.walk(place):
            names[:] = [name for name in names if not (Path(root) / name / "PG_VERSION").is_file()]
            yield from (Path(root) / name for name in names)
