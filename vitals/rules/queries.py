"""All SQL of limits."""

from typing import Final

from store.statement import Command, Scalar, Statement
from vitals.rules.models import ConfirmedRow, InForce, RuleVersion

# One statement of every batch: a person's rules are few, and the confirmed rows stand in a small table.
IN_FORCE = Statement(
    InForce,
    """
    SELECT ARRAY(SELECT name FROM alert_default_confirmed ORDER BY name) AS confirmed,
           (SELECT jsonb_agg(jsonb_build_object(
                'rule_id', r.rule_id, 'ver', r.ver, 'owner_id', r.owner_id, 'owner_role', r.owner_role,
                'kind', r.kind, 'direction', r.direction, 'unit', r.unit, 'warn', r.warn, 'crit', r.crit,
                'warn2', r.warn2, 'crit2', r.crit2, 'machine', jsonb_build_object(
                    'hysteresis', r.hysteresis, 'confirm_n', r.confirm_n, 'confirm_s', r.confirm_s,
                    'cooldown_s', r.cooldown_s, 'stale_after_s', r.stale_after_s,
                    'quiet_from', r.quiet_from, 'quiet_until', r.quiet_until)) ORDER BY r.rule_id)::text
            FROM alert_rule r WHERE r.patient_id = $1 AND r.ended_at IS NULL) AS rules
    """,
)
# All changes of everybody's rules in this book.
COUNT_CHANGES = Scalar(
    int,
    """
    SELECT (count(*) + count(ended_at))::int AS changes FROM alert_rule WHERE patient_id = $1
    """,
)
VERSIONS = Statement(
    RuleVersion,
    """
    SELECT rule_id, max(ver) AS ver FROM alert_rule
    WHERE patient_id = $1 AND rule_id = ANY($2::uuid[]) GROUP BY rule_id
    """,
)
END = Command(
    """
    UPDATE alert_rule SET ended_at = $3
    WHERE patient_id = $1 AND rule_id = ANY($2::uuid[]) AND ended_at IS NULL
    """
)
_COLUMNS: Final = (
    "patient_id, rule_id, ver, owner_id, owner_role, kind, direction, unit, warn, crit, warn2, crit2,"
    " hysteresis, confirm_n, confirm_s, cooldown_s, stale_after_s, quiet_from, quiet_until, made_at"
)
INSERT = Command(
    f"INSERT INTO alert_rule ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"  # noqa: S608
    " $14, $15, $16, $17, $18, $19, $20)"
)

CONFIRMED = Statement(
    ConfirmedRow, "SELECT name, source, confirmed_at FROM alert_default_confirmed ORDER BY name"
)
CONFIRM = Command(
    """
    INSERT INTO alert_default_confirmed (name, source, confirmed_at) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET source = EXCLUDED.source, confirmed_at = EXCLUDED.confirmed_at
    """
)
UNCONFIRM = Command("DELETE FROM alert_default_confirmed WHERE name = $1")
