"""Why a dose stands for no row of the schedule, in words."""

from datetime import date
from typing import Final

from vaccination.schedule.models import Row

_EARLY: Final = "Tiêm trước ngày sớm nhất ({day}) nên chưa tính cho “{title}”."
_EXTRA: Final = "Ngoài số mũi của lịch này."
_ASK: Final = " Quy định này chưa xác nhận: nơi tiêm có thể vẫn tính mũi này, hãy hỏi trước khi tiêm lại."


def why_vi(row: Row | None, opens: date | None, *, confirmed: bool) -> str:
    early = row is not None and opens is not None
    told = _EARLY.format(day=f"{opens:%d/%m/%Y}", title=row.title_vi) if early and row else _EXTRA
    return told if confirmed else told + _ASK
