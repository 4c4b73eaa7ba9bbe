"""The verdict over what was read, by the keys and lists that are known (vaccination.md §8, in its order)."""

from datetime import datetime
from typing import Final, Literal, get_args

from msgspec import Struct

from vaccination.trust.models import TrustedKey
from vaccination.verify.models import Status, Step, StepName, Verdict
from vaccination.verify.reading import MILLISECONDS_MIN, Reading, failed, instant, passed
from vaccination.verify.signatures import NAMES, holds

ORDER: Final[tuple[StepName, ...]] = get_args(StepName)
# Keys of the same kid that are tried; no two in the field have one.
CANDIDATES_MAX: Final = 8


class Known(Struct, frozen=True, kw_only=True):
    """What is known of a reading's kid. keys: all with it, whatever their purpose and state. is_revoked:
    None = no list says anything of this key, or only `missing` of it. list_until: after it the list that
    names no revocation is too old to say so; None = it is of no age."""

    keys: tuple[TrustedKey, ...] = ()
    is_revoked: bool | None = None
    missing: Literal["no-list", "part-of-list"] = "no-list"
    list_until: datetime | None = None


def judge(reading: Reading, known: Known, now: datetime, *, is_strict: bool = False) -> Verdict:
    """is_strict: what leaves the schema fails too."""
    done = {step.name: step for step in reading.steps}
    key: TrustedKey | None = None
    if reading.is_whole:
        later, key = _trust_steps(reading, known, now)
        later += [_validity(reading, now), _revocation(known, now), _schema(reading, is_strict=is_strict)]
        done |= {step.name: step for step in later}
    steps = tuple(done.get(name, Step(name=name, outcome="not-reached")) for name in ORDER)
    return Verdict(
        status=next((step.status for step in steps if step.status), "VERIFIED"),
        format=reading.format,
        steps=steps,
        algorithm=NAMES.get(reading.algorithm or 0),
        kid=reading.kid,
        issuer=reading.issuer,
        issued_at=instant(reading.issued_at),
        expires_at=instant(reading.expires_at),
        holder=reading.holder,
        statements=reading.statements,
        trust=None if key is None else key.source,
    )


def _trust_steps(reading: Reading, known: Known, now: datetime) -> tuple[list[Step], TrustedKey | None]:
    """From the key to what its list is worth; they end where one failed."""
    found = _candidates(reading, known)
    if isinstance(found, Step):
        return [found], None
    signed_by = _signed_by(reading, found)
    if not signed_by:
        return [passed("key"), failed("signature", "INVALID_SIGNATURE")], None
    key = min(signed_by, key=lambda one: _rank(one, reading, now))
    steps = [passed("key", _key_notes(key)), passed("signature")]
    may = passed("key-usage") if may_sign(key, reading) else failed("key-usage", "INVALID_SIGNATURE")
    return [*steps, may, _key_state(reading, key, now), _age(key, now)], key


def _candidates(reading: Reading, known: Known) -> list[TrustedKey] | Step:
    if reading.kid is None:
        return failed("key", "KID_NOT_INCLUDED")
    same_kind = [key for key in known.keys if key.kid == reading.kid and key.purpose == reading.format]
    fitting = [key for key in same_kind if _is_of_issuer(key, reading)]
    if not fitting:
        return failed("key", "ISSUER_NOT_TRUSTED", *(["other-issuer"] if same_kind else []))
    return fitting[:CANDIDATES_MAX]


def _is_of_issuer(key: TrustedKey, reading: Reading) -> bool:
    """One country's key says nothing of another's certificates, nor an issuer's of another's cards (S29)."""
    if key.purpose == "shc":
        issuer = reading.issuer or ""
        # An issuer is an https address without a slash at its end: nobody else is any.
        is_address = issuer.startswith("https://") and not issuer.endswith("/")
        return is_address and key.issuer in (None, issuer)
    return key.country is None or key.country == reading.country


def _signed_by(reading: Reading, keys: list[TrustedKey]) -> list[TrustedKey]:
    algorithm = reading.algorithm or 0
    return [key for key in keys if holds(key.spki, algorithm, reading.signature, reading.signed)]


def _rank(key: TrustedKey, reading: Reading, now: datetime) -> tuple[bool, ...]:
    """The same key of several lists: two operators' word against it counts on all of them; else the list on
    which most holds."""
    is_over = key.not_after is not None and now > key.not_after
    return (
        key.state != "revoked",
        key.state != "active",
        not may_sign(key, reading),
        _age(key, now).outcome == "failed",
        is_over,
    )


def may_sign(key: TrustedKey, reading: Reading) -> bool:
    """Whether its certificate is for every part that the text has, and it has one."""
    return key.uses is None or set() < reading.uses <= key.uses


def _key_notes(key: TrustedKey) -> list[str]:
    unknown = key.country is None if key.purpose == "hc1" else key.issuer is None
    return ["key-of-unnamed-issuer"] if unknown else []


def _key_state(reading: Reading, key: TrustedKey, now: datetime) -> Step:
    states: dict[str, Status] = {"terminated": "TERMINATED_KEYS", "revoked": "REVOKED_KEYS"}
    if key.state in states:
        return failed("key-state", states[key.state])
    if key.not_after is not None and now > key.not_after:
        return failed("key-state", "EXPIRED_KEYS")
    issued_at = instant(reading.issued_at)
    if issued_at is not None and key.not_before is not None and issued_at < key.not_before:
        return passed("key-state", ["issued-before-key"])
    return passed("key-state")


def _validity(reading: Reading, now: datetime) -> Step:
    at = now.timestamp()
    late = ["exp-milliseconds"] if (reading.expires_at or 0) >= MILLISECONDS_MIN else []
    if reading.starts_at is not None and at < reading.starts_at:
        early = ["milliseconds"] if reading.starts_at >= MILLISECONDS_MIN else []
        return failed("validity", "NOT_YET_VALID", *early)
    if reading.expires_at is not None and at > reading.expires_at:
        return failed("validity", "EXPIRED")
    return passed("validity", late)


def _revocation(known: Known, now: datetime) -> Step:
    if known.is_revoked is None:
        return passed("revocation", [known.missing])
    if known.is_revoked:
        return failed("revocation", "REVOKED")
    if known.list_until is not None and now > known.list_until:
        return failed("revocation", "TRUST_DATA_STALE", "revocation-list")
    return passed("revocation")


def _schema(reading: Reading, *, is_strict: bool) -> Step:
    if is_strict and reading.schema_faults:
        return failed("schema", "INVALID_SCHEMA", *reading.schema_faults)
    return passed("schema", [*reading.schema_faults, *reading.schema_notes])


def _age(key: TrustedKey, now: datetime) -> Step:
    if key.fresh_until is not None and now > key.fresh_until:
        return failed("trust-age", "TRUST_DATA_STALE")
    return passed("trust-age")
