"""What the directory refuses."""

from kernel.problems import ProblemType, declare

SEARCH_TOO_SHORT = declare(
    ProblemType(
        code="search-too-short",
        status=400,
        vi="Cần ít nhất ba chữ cái hoặc chữ số của tên, hoặc một chuyên khoa, hoặc vị trí.",
        en="At least three letters or digits of the name are needed, or a specialty, or a position.",
        next_vi="Gõ thêm tên cơ sở, chọn chuyên khoa, hoặc cho biết vị trí.",
        next_en="Type more of the name, choose a specialty, or give a position.",
    )
)
POSITION_HALF = declare(
    ProblemType(
        code="position-half",
        status=400,
        vi="Vị trí cần cả vĩ độ và kinh độ.",
        en="A position needs both latitude and longitude.",
        next_vi="Gửi cả hai, hoặc không gửi.",
        next_en="Send both, or neither.",
    )
)
COMMUNE_UNKNOWN = declare(
    ProblemType(
        code="commune-unknown",
        status=400,
        vi="Không có đơn vị hành chính này trong danh mục của hệ thống.",
        en="The system's list of administrative units has no such code.",
        next_vi="Kiểm tra mã xã; hỏi người vận hành nếu danh mục còn thiếu.",
        next_en="Check the commune's code; ask the operator where the list is incomplete.",
    )
)
FACILITY_UNKNOWN = declare(
    ProblemType(
        code="facility-unknown",
        status=404,
        vi="Không có cơ sở này trong danh bạ.",
        en="The directory has no such facility.",
        next_vi="Tìm lại theo tên hoặc mã cơ sở.",
        next_en="Search again by the facility's name or code.",
    )
)
