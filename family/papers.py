"""The two papers of a proxy that a desk wrote: the relative's with the code, the person's without it."""

from datetime import datetime
from typing import Final

from documents.halves import Half, Halves, halves
from family.desk import Written
from family.models import Scope
from kernel.clock import VIETNAM
from qr.draw import svg

TITLE: Final = "Ủy quyền trên Sổ sức khỏe điện tử"
RELATIVE_STEPS: Final = (
    "Nhập mã vào mục Gia đình, bằng tài khoản của chính mình; mã dùng một lần.",
    "Mọi việc làm thay đều ghi tên người làm trong nhật ký của sổ.",
)
RELATIVE_WARNING: Final = "Mã chỉ dùng được cho người có số thẻ đã ghi tại quầy. Không đưa cho ai khác."
OWN_STEPS: Final = (
    "Nếu số thẻ hoặc việc được làm ghi sai, ông/bà báo ngay cho quầy.",
    "Muốn chấm dứt: đưa thẻ căn cước của ông/bà cho quầy của cơ sở y tế bất kỳ; hỏi nơi gần nhất: {hotline}.",
    "Mọi việc người thân làm thay đều ghi tên người đó trong nhật ký của sổ.",
)
SCOPE_WORDS: Final[dict[Scope, str]] = {
    "appointments": "đặt hẹn",
    "reminders": "nghe nhắc",
    "vitals": "chỉ số đo",
    "read-record": "đọc sổ",
    "add-to-record": "ghi thêm",
    "consent": "cho xem sổ",
}


def papers(written: Written, hotline: str, now: datetime) -> bytes:
    """A PDF of one page, to be cut. Blocks for a second or less: call it in a thread."""
    name = written.name or "người được chăm sóc"
    details = [
        ("Ai được làm thay", f"người có số thẻ căn cước tận cùng {written.proxy_ending}"),
        ("Được làm", ", ".join(SCOPE_WORDS[scope] for scope in written.scopes)),
        ("Đến hết ngày", f"{written.until:%d/%m/%Y}"),
    ]
    expires = written.expires_at.astimezone(VIETNAM)
    relative = Half(
        name=f"Bản của người thân – thay cho {name}",
        details=[*details, ("Nhập mã trước", f"{expires:%H:%M %d/%m/%Y}")],
        steps=list(RELATIVE_STEPS),
        warning=RELATIVE_WARNING,
        code="-".join(written.code[at : at + 5] for at in range(0, len(written.code), 5)),
        code_svg=svg(written.code),
    )
    own = Half(
        name=f"Bản của {name}",
        details=details,
        steps=[step.format(hotline=hotline) for step in OWN_STEPS],
    )
    sheet = Halves(
        title=TITLE,
        printed=f"In ngày {now.astimezone(VIETNAM):%d/%m/%Y}",
        upper=relative,
        lower=own,
    )
    return halves(sheet, now)
