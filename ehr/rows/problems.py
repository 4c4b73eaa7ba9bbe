"""What a file of rows can be refused for as a whole; its rows' reasons stand in the receipt."""

from kernel.problems import ProblemType, declare

ROWS_UNREADABLE = declare(
    ProblemType(
        code="rows-unreadable",
        status=422,
        vi="Không đọc được tệp danh sách: định dạng, dòng tiêu đề hoặc số dòng chưa đúng.",
        en="The file of rows cannot be read: its format, its headings or the number of rows is wrong.",
        next_vi="Sửa chỗ được nêu trong errors rồi gửi lại cả tệp.",
        next_en="Correct what errors names and send the whole file again.",
    )
)
ROWS_NOT_FOUND = declare(
    ProblemType(
        code="rows-not-found",
        status=404,
        vi="Cơ sở của bạn chưa gửi tệp danh sách này.",
        en="Your facility has sent no such file.",
        next_vi="Xem danh sách các tệp đã gửi.",
        next_en="Look at the list of files that were sent.",
    )
)
