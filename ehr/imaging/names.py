"""Vietnamese names of DICOM modalities and of body sites: our own, not yet reviewed by a radiologist."""

from kernel.text import fold

MODALITIES = {
    "CR": "Chụp X-quang",
    "DX": "Chụp X-quang số",
    "RG": "Chụp X-quang",
    "RX": "Chụp X-quang",
    "RAD": "Chụp X-quang",
    "XRC": "Chụp X-quang",
    "RF": "Chiếu X-quang",
    "PX": "Chụp X-quang toàn cảnh răng",
    "IO": "Chụp X-quang trong miệng",
    "MG": "Chụp nhũ ảnh",
    "BMD": "Đo mật độ xương",
    "CT": "Chụp cắt lớp vi tính (CT)",
    "CTH": "Chụp cắt lớp vi tính (CT)",
    "MR": "Chụp cộng hưởng từ (MRI)",
    "NMR": "Chụp cộng hưởng từ (MRI)",
    "US": "Siêu âm",
    "RUS": "Siêu âm",
    "VUS": "Siêu âm mạch máu",
    "IVUS": "Siêu âm trong lòng mạch",
    "XA": "Chụp mạch số hóa xóa nền (DSA)",
    "NM": "Xạ hình",
    "NMS": "Xạ hình",
    "PT": "Chụp PET",
    "ES": "Nội soi",
    "ECG": "Điện tim",
    "EEG": "Điện não",
    "OP": "Chụp đáy mắt",
    "OPT": "Chụp cắt lớp võng mạc (OCT)",
    "GM": "Soi kính hiển vi",
    "SM": "Ảnh tiêu bản",
    "XC": "Ảnh chụp ngoài",
}
_SITES = {
    "chest": "Ngực",
    "thorax": "Ngực",
    "thoracic": "Ngực",
    "abdomen": "Bụng",
    "head": "Đầu",
    "brain": "Não",
    "skull": "Sọ",
    "neck": "Cổ",
    "spine": "Cột sống",
    "cervical spine": "Cột sống cổ",
    "lumbar spine": "Cột sống thắt lưng",
    "thoracic spine": "Cột sống ngực",
    "pelvis": "Khung chậu",
    "hip": "Khớp háng",
    "knee": "Khớp gối",
    "ankle": "Cổ chân",
    "foot": "Bàn chân",
    "leg": "Chân",
    "thigh": "Đùi",
    "shoulder": "Vai",
    "arm": "Cánh tay",
    "elbow": "Khuỷu tay",
    "wrist": "Cổ tay",
    "hand": "Bàn tay",
    "finger": "Ngón tay",
    "clavicle": "Xương đòn",
    "breast": "Vú",
    "liver": "Gan",
    "kidney": "Thận",
    "heart": "Tim",
    "thyroid": "Tuyến giáp",
    "eye": "Mắt",
    "jaw": "Hàm",
    "tooth": "Răng",
    "sinus": "Xoang",
    "uterus": "Tử cung",
    "prostate": "Tuyến tiền liệt",
}


def modality_name(code: str | None) -> str | None:
    """The name of a modality; None where we have none."""
    return MODALITIES.get(code or "")


def site_name(text: str) -> str:
    """The name of a body site by its English one; any other stays as it came."""
    folded = (
        fold(text).removesuffix(" structure").removesuffix(" (body structure)").removesuffix(" structure")
    )
    return _SITES.get(folded, text)
