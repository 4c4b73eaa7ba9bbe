"""The staff's own pages: who is signed in and in which role, which parts of the house that role has, and the
one line that says what was just done.

What a role may do is decided by the service; the menu only leaves out what it would refuse anyway.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from api.pages.browser import cookie, drop_cookie, set_cookie
from api.pages.facility.words import DONE, ROLES
from api.pages.showing import Shown, Visit, page_of_kind
from api.problems import NOT_SIGNED_IN
from api.request import Call
from kernel.problems import ProblemError, Refused

DESK: Final = frozenset({"doctor", "nurse", "clerk"})
ADMIN: Final = frozenset({"facility-admin"})
OFFICER: Final = frozenset({"registry-officer"})
PLANNERS: Final = frozenset({"nurse", "clerk", "facility-admin"})
# Who gives vaccines.
VACCINATORS: Final = frozenset({"doctor", "nurse", "vaccinator"})

# What the decorator of a page's route says; a page that cannot be shown leads back to the staff's first one.
FACILITY: Final = page_of_kind("staff", "facility/problem.html")
# key, address, who, name, what is done there; each text in Vietnamese and in English.
Part = tuple[str, str, frozenset[str], tuple[str, str], tuple[str, str]]
PARTS: Final[tuple[Part, ...]] = (
    (
        "desk",
        "/facility/desk",
        DESK,
        ("Tiếp đón", "Reception"),
        (
            "Quét mã trên điện thoại của người đến và người về.",
            "Scan the code on the phone of who comes and goes.",
        ),
    ),
    (
        "look-up",
        "/facility/look-ups",
        DESK,
        ("Tìm người bệnh", "Find a person"),
        ("Từ số trên thẻ hoặc số điện thoại.", "By the number on a card, or a phone."),
    ),
    (
        "counters",
        "/facility/counters",
        DESK | ADMIN,
        ("Quầy và số thứ tự", "Counters and lines"),
        (
            "Gọi số, cấp số, mở và đóng quầy, màn hình và áp phích.",
            "Call and give numbers, open and close counters, screens and posters.",
        ),
    ),
    (
        "appointments",
        "/facility/appointments",
        DESK | ADMIN,
        ("Lịch hẹn", "Appointments"),
        (
            "Danh sách trong ngày, ai đã đến; lập lịch khám.",
            "The list of a day, and who came; schedules.",
        ),
    ),
    (
        "vaccination",
        "/facility/vaccination",
        VACCINATORS | ADMIN,
        ("Tiêm chủng", "Vaccination"),
        ("Ai đăng ký tiêm hôm nay; mũi tiêm cũ cần xác nhận.", "Who is registered; doses to confirm."),
    ),
    (
        "cases",
        "/facility/cases",
        frozenset({"doctor"}) | ADMIN | OFFICER,
        ("Đề nghị sửa hồ sơ", "Corrections"),
        (
            "Người bệnh báo sai hoặc thiếu; trả lời đúng hạn.",
            "People say what is wrong or missing; answer in time.",
        ),
    ),
    (
        "activation",
        "/facility/activations",
        DESK | OFFICER,
        ("Mở tài khoản tại quầy", "Open an account"),
        (
            "Cho người đang đứng trước mặt, do hai nhân viên làm.",
            "For somebody who stands here, by two members of staff.",
        ),
    ),
    (
        "quarantine",
        "/facility/quarantine",
        ADMIN | OFFICER,
        ("Hồ sơ chờ xác định", "Records on hold"),
        ("Hồ sơ đã gửi mà chưa rõ là của ai.", "What was sent and whose it is is not certain."),
    ),
    (
        "staff",
        "/facility/staff",
        ADMIN,
        ("Nhân viên và vai trò", "Staff and roles"),
        (
            "Ai làm việc ở đây, đề nghị chờ người thứ hai.",
            "Who works here, and proposals that wait for a second person.",
        ),
    ),
    (
        "kiosks",
        "/facility/kiosks",
        ADMIN,
        ("Ki-ốt", "Kiosks"),
        ("Lắp đặt, chuyển quầy, ngừng.", "Set up, move, end."),
    ),
    (
        "departments",
        "/facility/departments",
        ADMIN,
        ("Khoa, phòng", "Departments"),
        ("Thêm, sửa, đóng; tên kín đáo.", "Add, change, close; discreet names."),
    ),
    (
        "systems",
        "/facility/systems",
        ADMIN,
        ("Phần mềm kết nối", "Connected systems"),
        ("Phần mềm nào đang gửi và đọc; ngừng, đổi khóa.", "What sends and reads; turn off, new secret."),
    ),
    (
        "figures",
        "/facility/figures",
        ADMIN,
        ("Số liệu của cơ sở", "Figures"),
        ("Dữ liệu gửi lên, tìm người bệnh, ai đọc bao nhiêu.", "Data sent, look-ups, who read how much."),
    ),
)


class DeskVisit(Visit):
    """One request of somebody on the staff. me: what /v1/doctor/me says; role, facility_id, facility_name: of
    this session."""

    def __init__(self, call: Call, token: str) -> None:
        super().__init__(call, "staff", token)
        self.me: dict[str, Any] = {}
        self.role = self.facility_id = self.facility_name = ""

    async def open(self) -> "DeskVisit":
        """Who is signed in. Raises what the service refuses."""
        self.me = await self.read("/v1/doctor/me")
        own = [
            one for one in self.me["roles"] if one["practitioner_role_id"] == self.me["practitioner_role_id"]
        ]
        if own:
            self.role = own[0]["role"]
            self.facility_id, self.facility_name = own[0]["facility_id"], own[0]["facility_name"]
        return self

    def parts(self) -> list[Part]:
        """The parts that this role has."""
        return [one for one in PARTS if self.role in one[2]]

    def show(
        self, template: str, title: tuple[str, str], *, cookies: Sequence[str] = (), **members: Any
    ) -> Shown:
        done = DONE.get(cookie(self.call, "done"))
        gone = [drop_cookie(self.call, "done")] if done else []
        said = {
            "parts": self.parts(),
            "role_words": ROLES.get(self.role),
            "done": done,
            "once": str(uuid4()),
            "home": "/facility",
            "account": self.me.get("name", ""),
        }
        return super().show(template, title, cookies=(*gone, *cookies), **{**said, **members})

    def did(self, what: str, address: str) -> Shown:
        """On to that page, which says once what was done. what: a key of DONE."""
        assert what in DONE, what
        return self.go(address, [set_cookie(self.call, "done", what, 60)])


async def open_desk(call: Call) -> DeskVisit:
    """A page of the staff. Raises not-signed-in, which leads to the sign-in."""
    token = cookie(call, "staff")
    if not token:
        raise ProblemError(Refused(problem=NOT_SIGNED_IN))
    return await DeskVisit(call, token).open()


def status_of(refused: Any) -> int:
    """Of a page with what an act answered on it."""
    return refused.problem.status if isinstance(refused, Refused) else 200


def problem_of(done: Any) -> Refused | None:
    """What an act answered, where that is a refusal."""
    return done if isinstance(done, Refused) else None
