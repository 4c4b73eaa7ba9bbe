"""What adding a paper refuses."""

from kernel.problems import ProblemType, declare

OWN_DOCUMENT_UNKNOWN = declare(
    ProblemType(
        code="own-document-unknown",
        status=404,
        vi="Không có giấy tờ này trong phần tự thêm.",
        en="There is no such paper among those that were added.",
        next_vi="Tải lại danh sách tài liệu.",
        next_en="Load the list of documents again.",
    )
)
OWN_DOCUMENT_NOT_YOURS = declare(
    ProblemType(
        code="own-document-not-yours",
        status=403,
        vi="Giấy tờ này do người khác thêm.",
        en="Somebody else added this paper.",
        next_vi="Nhờ người đã thêm hoặc chính chủ sổ sửa.",
        next_en="Ask who added it, or the person whose book it is.",
    )
)
OWN_DOCUMENT_INVALID = declare(
    ProblemType(
        code="own-document-invalid",
        status=422,
        vi="Thông tin về giấy tờ chưa đúng.",
        en="What is said about the paper is not right.",
        next_vi="Xem lại ô được nêu rồi gửi lại.",
        next_en="Look at the field that is named and send it again.",
    )
)
OWN_DOCUMENT_WITHHELD = declare(
    ProblemType(
        code="own-document-withheld",
        status=422,
        vi="Nội dung này không được đưa vào sổ theo quy định hiện hành.",
        en="The rules in force keep such content out of the book.",
        next_vi="Viết tên giấy tờ theo cách khác, hoặc giữ bản giấy.",
        next_en="Name the paper in other words, or keep it on paper.",
    )
)
OWN_DOCUMENT_UNREADABLE = declare(
    ProblemType(
        code="own-document-unreadable",
        status=422,
        vi="Tệp này không phải ảnh JPEG, PNG hoặc tệp PDF dùng được.",
        en="This is no JPEG or PNG picture and no PDF that can be kept.",
        next_vi="Chụp lại bằng máy ảnh của điện thoại, hoặc xuất lại tệp PDF.",
        next_en="Take a picture with the phone, or make the PDF again.",
    )
)
OWN_DOCUMENT_LOCKED = declare(
    ProblemType(
        code="own-document-locked",
        status=422,
        vi="Tệp PDF này có mật khẩu nên sổ không mở được.",
        en="This PDF has a password, so it cannot be opened.",
        next_vi="Bỏ mật khẩu của tệp, hoặc chụp ảnh các trang rồi gửi lại.",
        next_en="Take the password off the file, or send pictures of its pages.",
    )
)
OWN_DOCUMENT_TOO_LARGE = declare(
    ProblemType(
        code="own-document-too-large",
        status=413,
        vi="Tệp quá lớn.",
        en="The file is too large.",
        next_vi="Gửi tệp tối đa 20 MB; ảnh tối đa 12 triệu điểm ảnh, PDF tối đa 40 trang.",
        next_en="Send at most 20 MB, pictures of at most 12 megapixels and PDFs of at most 40 pages.",
    )
)
OWN_DOCUMENTS_FULL = declare(
    ProblemType(
        code="own-documents-full",
        status=409,
        vi="Sổ đã có đủ số giấy tờ tự thêm.",
        en="The book has all the added papers it can have.",
        next_vi="Xóa bớt giấy tờ không cần nữa.",
        next_en="Remove papers that are no longer needed.",
    )
)
