"""Forms of migrations that a Citus cluster refuses or does otherwise (scale.md; Citus 13.2)."""

import re

# Applied on one machine before any cluster was made: `migrate --distribute` spreads what they left.
BEFORE_THE_FIRST_CLUSTER = 570
_FORMS = {
    r"CREATE (OR REPLACE )?(CONSTRAINT )?TRIGGER": "triggers are not supported on distributed tables",
    r"CREATE (OR REPLACE )?RULE": "rules are not sent to the shards",
    r"CREATE MATERIALIZED VIEW": "a materialized view lies on one node",
    r"CREATE TYPE .* AS ENUM": "enum parameters cost each connection a look into the catalog",
    r"\b(SMALL|BIG)?SERIAL\b|AS IDENTITY|NEXTVAL": "identity and serial: ids come from Python",
    r"DETACH PARTITION .* CONCURRENTLY": "DETACH PARTITION CONCURRENTLY is unsupported",
    r"^DROP (TABLE|INDEX) [^;]*,": "cannot drop multiple distributed objects in a single command",
    r"ALTER COLUMN \w+ SET (STORAGE|STATISTICS|COMPRESSION)": "alter table command is unsupported",
    r"^ALTER TABLE [^;]* (NO )?INHERIT ": "alter table command is unsupported",
    r"^ALTER TABLE \w+ ADD (UNIQUE|PRIMARY|FOREIGN|CHECK|EXCLUDE)": "cannot create an unnamed constraint",
    r"ADD COLUMN [^,;]*\b(UNIQUE|PRIMARY KEY|REFERENCES|CHECK)\b": "write the constraint apart",
    r"^DO\b": "a block runs on the coordinator and not on the shards",
    r"\bPG_(TRY_)?ADVISORY|^(LISTEN|NOTIFY)\b|PG_NOTIFY": "holds on one node only",
    r"^LOCK TABLE": "locks the table of one node",
    r"^MERGE\b": "write INSERT … ON CONFLICT",
    r"^VACUUM FULL|^CLUSTER\b": "is not sent to the shards",
}


def form_faults(statement: str) -> list[str]:
    """What a cluster has against one statement of a migration, by its form alone."""
    bare = re.sub(r"--[^\n]*", "", statement)
    bare = " ".join(re.sub(r"'(?:[^']|'')*'", "''", bare).split()).upper()
    found = [said for form, said in _FORMS.items() if re.search(form, bare)]
    if bare.startswith("ALTER TABLE") and "ADD CONSTRAINT" in bare and len(_subcommands(bare)) > 1:
        found.append("cannot execute ADD CONSTRAINT command with other subcommands")
    return found


def _subcommands(bare: str) -> list[str]:
    depth, parts = 0, [""]
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
