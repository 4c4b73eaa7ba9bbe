"""Our ids of resources that a source names by its own (security.md S3)."""

import hashlib
from uuid import UUID


def resource_id(source_id: str, reference: str) -> str:
    """Our id of what `source_id` calls `reference` (`Type/id` or `urn:uuid:…`), the same each time.

    Two facilities that use one client id get two ids, so neither can name the other's rows. A reader
    finds the row behind a reference in a kept document with the row's own source_id.
    """
    digest = hashlib.sha256(f"{source_id}\n{canonical(reference)}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=8))


def canonical(reference: str) -> str:
    """`https://host/fhir/Patient/1/_history/2` → `Patient/1`; a urn stays as it is."""
    if reference.startswith("urn:"):
        return reference
    parts = reference.split("/_history/", 1)[0].split("/")
    return "/".join(parts[-2:])
