"""What the FHIR endpoint refuses."""

from kernel.problems import ProblemType, declare

FHIR_SCOPE = declare(
    ProblemType(
        code="fhir-insufficient-scope",
        status=403,
        vi="Ứng dụng không được phép đọc loại dữ liệu này.",
        en="The token's scope does not cover this.",
        next_vi="Xin người dùng đồng ý thêm loại dữ liệu này.",
        next_en="Ask the person for this kind of data.",
    )
)
FHIR_PARAMETER = declare(
    ProblemType(
        code="fhir-parameter",
        status=400,
        vi="Tham số tìm kiếm không được hỗ trợ hoặc không đúng.",
        en="A search parameter is not supported or not valid.",
        next_vi="Xem /fhir/metadata rồi sửa tham số được nêu.",
        next_en="See /fhir/metadata and correct the parameter that is named.",
    )
)
FHIR_UNKNOWN = declare(
    ProblemType(
        code="fhir-not-found",
        status=404,
        vi="Không có dữ liệu này.",
        en="There is no such resource.",
        next_vi="Kiểm tra lại loại và mã.",
        next_en="Check the type and the id.",
    )
)
FHIR_FORMAT = declare(
    ProblemType(
        code="fhir-format",
        status=406,
        vi="Chỉ trả lời bằng application/fhir+json.",
        en="Answers are application/fhir+json alone.",
        next_vi="Gửi Accept: application/fhir+json.",
        next_en="Send Accept: application/fhir+json.",
    )
)
FHIR_TOO_COSTLY = declare(
    ProblemType(
        code="fhir-too-costly",
        status=403,
        vi="Có quá nhiều dữ liệu để tìm một lần.",
        en="There is too much to search at once.",
        next_vi="Thu hẹp theo ngày rồi tìm lại.",
        next_en="Narrow the search by date and try again.",
    )
)
