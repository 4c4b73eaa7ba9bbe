"""Whom a file is believed: certificates of facilities, verdicts on signatures, versions of documents."""
