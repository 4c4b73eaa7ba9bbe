"""What a statement, or a doctor's word on one, can be refused for."""

from kernel.problems import ProblemType, declare

STATEMENT_INVALID = declare(
    ProblemType(
        code="statement-invalid",
        status=422,
        vi="Một số ô của mục tự khai chưa đúng.",
        en="Some fields of the statement are wrong.",
        next_vi="Sửa các ô được nêu trong errors rồi gửi lại.",
        next_en="Correct the fields named in errors and send it again.",
    )
)
STATEMENT_DRUG_USE = declare(
    ProblemType(
        code="statement-drug-use",
        status=422,
        vi="Theo quy định, sổ không nhận thông tin về sử dụng ma túy.",
        en="By rule, the book does not take in information about drug use.",
        next_vi="Bỏ mục này. Nếu cần được giúp, hãy nói trực tiếp với bác sĩ; bác sĩ giữ kín cho bạn.",
        next_en="Leave this entry out. If you need help, talk to a doctor in person; it stays between you.",
    )
)
STATEMENT_NOT_TAKEN = declare(
    ProblemType(
        code="statement-not-taken",
        status=422,
        vi="Theo quy định, sổ không lưu loại thông tin này và chưa lưu gì từ mục bạn vừa gửi.",
        en="By rule, the book does not keep this kind of information, and nothing of what you sent was kept.",
        next_vi="Viết lại mà không có thông tin đó, hoặc nói trực tiếp với bác sĩ.",
        next_en="Write it without that information, or tell a doctor in person.",
    )
)
STATEMENT_NOT_FOUND = declare(
    ProblemType(
        code="statement-not-found",
        status=404,
        vi="Không có mục tự khai này.",
        en="There is no such statement.",
        next_vi="Tải lại danh sách mục tự khai.",
        next_en="Load the list of statements again.",
    )
)
STATEMENT_NOT_YOURS = declare(
    ProblemType(
        code="statement-not-yours",
        status=403,
        vi="Mục này do người khác khai.",
        en="Somebody else made this statement.",
        next_vi="Người đã khai hoặc chính chủ sổ mới sửa hoặc rút lại được.",
        next_en="Whoever made it, or the person of the book, can change it or take it back.",
    )
)
STATEMENT_EXISTS = declare(
    ProblemType(
        code="statement-exists",
        status=409,
        vi="Đã có một mục tự khai loại này.",
        en="There is a statement of this kind already.",
        next_vi="Sửa mục đang có, hoặc rút lại rồi khai mục mới.",
        next_en="Amend the one that stands, or withdraw it first.",
    )
)
TOO_MANY_STATEMENTS = declare(
    ProblemType(
        code="too-many-statements",
        status=409,
        vi="Sổ này đã có quá nhiều mục tự khai.",
        en="This book holds too many statements.",
        next_vi="Rút lại những mục không còn đúng.",
        next_en="Withdraw those that are no longer true.",
    )
)
STATEMENT_CHANGED = declare(
    ProblemType(
        code="statement-changed",
        status=409,
        vi="Mục tự khai đã được sửa sau khi bác sĩ đọc.",
        en="The statement was changed after you read it.",
        next_vi="Tải lại và đọc bản mới trước khi xác nhận.",
        next_en="Load it again and read the new text first.",
    )
)
BLOOD_GROUP_BY_TEST = declare(
    ProblemType(
        code="blood-group-by-test",
        status=409,
        vi="Nhóm máu tự khai không được xác nhận bằng lời.",
        en="A declared blood group is not confirmed by word.",
        next_vi="Gửi kết quả xét nghiệm nhóm máu vào sổ; kết quả đó đứng cạnh mục tự khai.",
        next_en="Send the laboratory's result; it stands beside what was declared.",
    )
)
