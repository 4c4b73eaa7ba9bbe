"""Why two persons are not merged or separated."""

from kernel.problems import ProblemType, declare

MERGE_STALE = declare(
    ProblemType(
        code="merge-stale",
        status=409,
        vi="Hai hồ sơ này hiện không gộp hoặc tách được: một hồ sơ không còn, đã gộp hoặc đã đóng.",
        en="These persons cannot be merged or separated now: one is gone, merged already or closed.",
        next_vi="Tìm lại cả hai hồ sơ rồi lập đề nghị mới.",
        next_en="Look both persons up again and propose anew.",
    )
)
MERGE_WRONG_WAY = declare(
    ProblemType(
        code="merge-wrong-way",
        status=409,
        vi="Hồ sơ được giữ lại phải là hồ sơ có số định danh đang dùng.",
        en="The record that stays must be the one with a personal number in force.",
        next_vi="Lập đề nghị theo chiều ngược lại.",
        next_en="Propose the merge the other way round.",
    )
)
MERGE_NOT_SETTLED = declare(
    ProblemType(
        code="merge-not-settled",
        status=409,
        vi="Lần gộp trước của hồ sơ này chưa xong.",
        en="An earlier merge of this person is not complete yet.",
        next_vi="Chờ lần gộp trước hoàn tất và được xác minh rồi thử lại.",
        next_en="Wait until the earlier merge is complete and proven, then try again.",
        retryable=True,
    )
)
NO_SUCH_MERGE = declare(
    ProblemType(
        code="no-such-merge",
        status=404,
        vi="Không có lần gộp hồ sơ này, hoặc đã được tách.",
        en="There is no such merge, or it was undone.",
        next_vi="Kiểm tra lại mã lần gộp.",
        next_en="Check the id of the merge.",
    )
)
