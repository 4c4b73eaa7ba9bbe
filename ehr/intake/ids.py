"""Our ids of resources that a source names by its own (security.md S3)."""

import hashlib


def resource_id(source_id: str, reference: str) -> str:
    """Our id of what `source_id` calls `reference` (`Type/id` or `urn:uuid:…`), the same each time.

    Two facilities that use one client id get two ids, so neither can name the other's rows. A reader
    finds the row behind a reference in a kept document with the row's own source_id.
    """
    return name_uuid(f"{source_id}\n{canonical(reference)}")


def name_uuid(text: str) -> str:
    """A UUIDv8 (RFC 9562 §5.8) made of SHA-256 of `text`."""
    digits = hashlib.sha256(text.encode()).hexdigest()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-8{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def canonical(reference: str) -> str:
    """`https://host/fhir/Patient/1/_history/2` → `Patient/1`; a urn stays as it is."""
    if reference.startswith("urn:"):
        return reference
    parts = reference.split("/_history/", 1)[0].split("/")
    return "/".join(parts[-2:])
