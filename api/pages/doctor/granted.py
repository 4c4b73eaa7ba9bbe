"""The bar above every page of a patient: whose record, what of it, on what ground and until when."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from api.pages.scope_words import DAY, HOUR, PURPOSES, kinds, said
from api.pages.showing import Shown, Visit
from identity.sessions import IDLE_LIFE
from kernel.problems import Refused

_OF_PATIENT: Final = {
    "Observation.wearable": ("Số đo tại nhà", "Home measurements"),
    "QuestionnaireResponse": ("Phiếu hỏi đã trả lời", "Questionnaires"),
}


async def grant_of(visit: Visit, patient_id: UUID) -> dict[str, Any] | None:
    """On what ground this doctor may read this record, with its words: a grant, or glass that was broken
    (is_emergency), which counts where no grant opens anything now. None: no ground that is known."""
    grant = await _listed(visit, patient_id)
    if grant is not None and grant["state"] == "live":
        return grant
    return await _broken_glass(visit, patient_id) or grant


async def _broken_glass(visit: Visit, patient_id: UUID) -> dict[str, Any] | None:
    listed = await visit.ask("/v1/doctor/emergency-access")
    if isinstance(listed, Refused):
        # Of a role that never breaks the glass.
        return None
    for one in listed["items"]:
        if one["patient_id"] == str(patient_id) and not one["waiting"]:
            time = _instant(one["ends_at"]) - visit.call.now
            words = left(time, english=visit.display.language == "en")
            return {**one, "is_emergency": True, "state": "live", "types": None, "left": words}
    return None


async def _listed(visit: Visit, patient_id: UUID) -> dict[str, Any] | None:
    page = await visit.read("/v1/doctor/grants", patient_id=patient_id, limit=1)
    return with_words(visit, page["items"][0]) if page["items"] else None


def with_words(visit: Visit, grant: dict[str, Any]) -> dict[str, Any]:
    """The grant as it is shown. state: live, not-yet (it begins later) or held. is_doctor: who has it may
    hand a part to a nurse, and give a word on what the person said."""
    english = visit.display.language == "en"
    starts, ends = _instant(grant["starts_at"]), _instant(grant["ends_at"])
    state = "held" if grant["held"] else "not-yet" if starts > visit.call.now else "live"
    return {
        **grant,
        "is_emergency": False,
        "state": state,
        "is_doctor": grant["delegations"] is not None,
        "kinds": kinds_of(grant["types"], english=english),
        "purpose_words": said(PURPOSES, grant["purpose"], english=english),
        "left": left(ends - visit.call.now, english=english),
    }


def kinds_of(names: Collection[str], *, english: bool) -> list[str]:
    """Kinds of entries in words for a doctor: what the person's own words call `yours` is the patient's."""
    theirs = [words[english] for name, words in _OF_PATIENT.items() if name in names]
    return kinds([name for name in names if name not in _OF_PATIENT], english=english) + theirs


def left(time: timedelta, *, english: bool) -> str:
    """How long something still lasts, in the two largest units: `1 ngày 3 giờ`, `2 giờ 5 phút`."""
    seconds = max(0, int(time.total_seconds()))
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // 60
    words = (
        (days, "day" if days == 1 else "days", "ngày"),
        (hours, "hour" if hours == 1 else "hours", "giờ"),
        (minutes, "minute" if minutes == 1 else "minutes", "phút"),
    )
    parts = [f"{count} {one if english else vi}" for count, one, vi in words if count]
    return " ".join(parts[:2]) or ("less than a minute" if english else "chưa đầy 1 phút")


def is_outside(grant: dict[str, Any] | None, types: Collection[str]) -> bool:
    """Whether a grant names nothing of what a page shows. Another ground is the service's to judge."""
    named = grant["types"] if grant else None
    return bool(types) and named is not None and not set(types) & set(named)


def show_patient(
    visit: Visit,
    template: str,
    title: tuple[str, str],
    patient_id: UUID,
    grant: dict[str, Any] | None,
    *,
    nav: str,
    problem: Refused | None = None,
    wrong: Refused | None = None,
    **members: Any,
) -> Shown:
    """One page of a patient under the bar. problem: shown instead of the record; wrong: of a form, shown
    above the page."""
    said = problem or wrong
    return visit.show(
        "doctor/refused.html" if problem else template,
        title,
        status=said.problem.status if said else 200,
        nav=nav,
        patient_id=patient_id,
        base=f"/doctor/patients/{patient_id}",
        grant=grant,
        problem=said,
        idle_until=visit.call.now + IDLE_LIFE,
        **members,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
