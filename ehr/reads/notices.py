"""Sentences that stand beside a read."""

from ehr.reads.models import Notice
from kernel.access import Access

# The same in every answer under a grant, whether or not anything is left out (consent.md §4).
MAY_BE_INCOMPLETE = Notice(
    vi="Thông tin có thể chưa đầy đủ theo lựa chọn của người bệnh.",
    en="The information may be incomplete by the patient's choice.",
)


def notice_for(access: Access) -> Notice | None:
    return None if access.is_own else MAY_BE_INCOMPLETE
