"""What a code says, in words. Ours; nobody approved them as an official text."""

from typing import Final

from ehr.paper_proofs.models import Outcome

SAYS_VI: Final[dict[Outcome, str]] = {
    "unchanged": "Giấy này có trong sổ và chưa thay đổi từ khi in. Hãy so từng dòng với bản in.",
    "replaced": "Cơ sở đã phát hành bản mới hơn. Hãy xin người có giấy bản in mới.",
    "withdrawn": "Giấy này không còn hiệu lực trong sổ.",
    "not-ours": "Mã này không do Sổ sức khỏe phát hành, hoặc đã bị sửa. Đừng chấp nhận giấy này.",
}
SAYS_EN: Final[dict[Outcome, str]] = {
    "unchanged": "This paper is in the book and has not changed since it was printed. Compare each line.",
    "replaced": "The facility has issued a newer version. Ask for a new print.",
    "withdrawn": "This paper no longer stands in the book.",
    "not-ours": "This code was not issued by the health book, or it was altered. Do not accept this paper.",
}
# Beside what is unchanged, once its last day has passed.
ENDED_VI: Final = "Giấy không còn giá trị từ ngày {day}."
ENDED_EN: Final = "It is no longer valid since {day}."
FOOT: Final = (
    "Bản in từ Sổ sức khỏe điện tử. Quét mã để biết giấy còn hiệu lực hay không; người quét không thấy "
    "chẩn đoán. Bản có chữ ký số của cơ sở là bản gốc."
)
