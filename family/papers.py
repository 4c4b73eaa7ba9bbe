"""The two papers of a proxy that a desk wrote: the relative's with the code, the person's without it."""

from datetime import datetime
from typing import Final

from documents.slips import Slip, SlipSheet, slips
from family.desk import Written
from family.models import Scope
from kernel.clock import VIETNAM
from qr.draw import svg

TITLE: Final = "Ủy quyền trên Sổ sức khỏe điện tử"
STEPS: Final = (
    "Người thân nhập mã vào mục Gia đình, bằng tài khoản của chính mình; mã dùng một lần.",
    "Muốn chấm dứt: đưa thẻ căn cước cho quầy của cơ sở y tế bất kỳ; hỏi nơi gần nhất: {hotline}.",
    "Mọi việc người thân làm thay đều ghi tên người đó trong nhật ký của sổ.",
)
WARNING: Final = "Mã chỉ dùng được cho người thân có tên trong thẻ đã ghi tại quầy. Không đưa cho ai khác."
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
    what = ", ".join(SCOPE_WORDS[scope] for scope in written.scopes)
    details = [("Được làm", what), ("Đến hết ngày", f"{written.until:%d/%m/%Y}")]
    expires = written.expires_at.astimezone(VIETNAM)
    code = "-".join(written.code[at : at + 5] for at in range(0, len(written.code), 5))
    relative = Slip(
        name=f"Bản của người thân – thay cho {written.name or 'người được chăm sóc'}",
        details=[*details, ("Nhập mã trước", f"{expires:%H:%M %d/%m/%Y}")],
        code=code,
        code_svg=svg(written.code),
    )
    own = Slip(name=f"Bản của {written.name or 'người được chăm sóc'}", details=details, code="")
    sheet = SlipSheet(
        title=TITLE,
        steps=[step.format(hotline=hotline) for step in STEPS],
        warning=WARNING,
        printed=f"In ngày {now.astimezone(VIETNAM):%d/%m/%Y}",
        slips=[relative, own],
    )
    return slips(sheet, now)
