"""A line of the log as a page shows it: who, what, when, under what; whether a public root holds it."""

from typing import Any, Final

from api.pages.scope_words import PURPOSES, ROLES, Words, said
from audit.roots.models import AuditRoots, LogProof
from audit.roots.verify import check_proof, check_roots

KINDS: Final[dict[str, Words]] = {
    "read": ("Các lần xem", "Reads"),
    "act": ("Các việc khác", "Other acts"),
    "refused": ("Bị từ chối", "Refused"),
}
REASONS: Final[dict[str, Words]] = {
    "not-my-carer": ("Người này không khám, chữa cho tôi", "They do not treat me"),
    "knows-me": ("Người này quen biết riêng tôi", "They know me privately"),
    "too-much": ("Xem nhiều hơn mức cần thiết", "They looked at more than was needed"),
    "after-the-end": ("Xem sau khi tôi đã khám xong", "They looked after my treatment ended"),
    "other": ("Lý do khác", "Another reason"),
}
_STATES: Final[dict[str, tuple[str, Words]]] = {
    "open": ("warn", ("Đã gửi, chờ cơ sở xác nhận", "Sent, not acknowledged yet")),
    "acknowledged": ("warn", ("Cơ sở đã nhận, đang xem xét", "Acknowledged, being looked into")),
    "upheld": ("bad", ("Kết luận: việc xem này không đúng", "Found: this access was wrong")),
    "not-upheld": ("good", ("Kết luận: việc xem này đúng quy định", "Found: this access was right")),
}
_FINDINGS: Final[dict[str, Words]] = {
    "no-reason": ("Không có lý do để xem", "There was no reason to look"),
    "by-mistake": ("Xem nhầm", "By mistake"),
    "misuse": ("Lạm dụng", "Misuse"),
    "was-treatment": ("Để khám, chữa bệnh cho bạn", "For your treatment"),
    "was-emergency": ("Để cấp cứu", "In an emergency"),
    "was-duty": ("Theo nhiệm vụ được giao", "It was their duty"),
}
_KIND_OF_ACTOR: Final[dict[str, Words]] = {
    "citizen": ("Người dùng khác", "Another person"),
    "practitioner": ("Nhân viên y tế", "Health worker"),
    "facility-system": ("Hệ thống của cơ sở", "A facility's system"),
    "kiosk": ("Quầy tiếp đón", "Kiosk"),
    "operator": ("Người vận hành", "Operator"),
    "job": ("Việc tự động của hệ thống", "The system itself"),
    "bearer": ("Người có mã của bạn", "Somebody with your code"),
    "app": ("Ứng dụng", "App"),
}


def line_card(line: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """seq 0: a guardian sees a child's line without its place in the chain, so nothing to prove or report."""
    role = line["actor_role"] or ""
    kind = ROLES.get(role) or _KIND_OF_ACTOR.get(line["actor_kind"], ("", ""))
    return line | {
        "who": ("You" if english else "Bạn")
        if line["is_own"]
        else line["actor_name"] or line["actor_alias"] or "",
        "kind_words": "" if line["is_own"] else kind[english],
        "purpose_words": said(PURPOSES, line["purpose"] or "", english=english),
        "is_placed": line["seq"] > 0,
        "can_report": line["seq"] > 0 and not line["is_own"],
        "tone": "bad" if line["outcome"] == "refused" else "plain",
    }


def proof_card(line: dict[str, Any], proof: LogProof, roots: AuditRoots) -> dict[str, Any]:
    """state: held, or broken where anybody's own check of this line would fail."""
    other = (line["seq"], line["h"]) != (proof.seq, proof.h)
    broken = other or check_roots([roots], None) or check_proof(proof, [roots])
    root = proof.root.root
    return {"state": "broken" if broken else "held", "at": root.at, "number": root.number}


def report_card(report: dict[str, Any], *, english: bool) -> dict[str, Any]:
    """A question why somebody looked, with how far it is and what was found."""
    tone, words = _STATES[report["state"]]
    return report | {
        "tone": tone,
        "state_words": words[english],
        "reason_words": said(REASONS, report["reason"], english=english),
        "finding_words": said(_FINDINGS, report["finding"], english=english) if report["finding"] else "",
    }
