"""Three invented facilities and the people who work there.

The codes are stand-ins: no province has the number 99 (QĐ 384/2019: five characters, QĐ 1551/2026:
thirteen digits).
"""

from msgspec import Struct

from kernel.access import Role


class DemoFacility(Struct, frozen=True, kw_only=True):
    key: str
    code: str
    code13: str
    name: str
    short: str
    kind: str
    address: str


class DemoStaff(Struct, frozen=True, kw_only=True):
    """A licence-register entry with one role at one facility."""

    username: str
    name: str
    licence: str
    role: Role
    facility: str


HOSPITAL = DemoFacility(
    key="hospital",
    code="99D01",
    code13="9900000000101",
    name="Bệnh viện Đa khoa tỉnh Ví Dụ",
    short="BVDK Vi Du",
    kind="hospital",
    address="Số 1 đường Ví Dụ, Phường Mẫu Đơn",
)
STATION = DemoFacility(
    key="station",
    code="99D02",
    code13="9900000000202",
    name="Trạm Y tế xã Mẫu Sơn",
    short="TYT Mau Son",
    kind="commune-station",
    address="Thôn Ví Dụ, Xã Mẫu Sơn",
)
CLINIC = DemoFacility(
    key="clinic",
    code="99D03",
    code13="9900000000303",
    name="Phòng khám tư nhân Minh Họa",
    short="PK Minh Hoa",
    kind="private-clinic",
    address="Số 7 phố Minh Họa, Phường Mẫu Hải",
)
FACILITIES = (HOSPITAL, STATION, CLINIC)

STAFF = (
    DemoStaff(
        username="bs.nam",
        name="Trần Hoài Nam",
        licence="000101/DEMO-CCHN",
        role="doctor",
        facility="hospital",
    ),
    DemoStaff(
        username="bs.thu", name="Đỗ Minh Thu", licence="000102/DEMO-CCHN", role="doctor", facility="hospital"
    ),
    DemoStaff(
        username="dd.hoa", name="Lý Thị Hoa", licence="000103/DEMO-CCHN", role="nurse", facility="hospital"
    ),
    DemoStaff(username="tn.quy", name="Vũ Thị Quý", licence="000104/DEMO", role="clerk", facility="hospital"),
    DemoStaff(username="tn.an", name="Hồ Văn Ân", licence="000105/DEMO", role="clerk", facility="hospital"),
    DemoStaff(
        username="ds.kim",
        name="Mai Thị Kim",
        licence="000106/DEMO-CCHN",
        role="pharmacist",
        facility="hospital",
    ),
    DemoStaff(
        username="bs.senh", name="Lò Văn Sểnh", licence="000201/DEMO-CCHN", role="doctor", facility="station"
    ),
    DemoStaff(
        username="dd.mua", name="Thào Thị Mùa", licence="000202/DEMO-CCHN", role="nurse", facility="station"
    ),
    DemoStaff(username="tn.tua", name="Sùng A Tủa", licence="000203/DEMO", role="clerk", facility="station"),
    DemoStaff(
        username="bs.yen", name="Ngô Hải Yến", licence="000301/DEMO-CCHN", role="doctor", facility="clinic"
    ),
    DemoStaff(
        username="ds.van",
        name="Đàm Thị Vân",
        licence="000304/DEMO-CCHN",
        role="pharmacist",
        facility="clinic",
    ),
    DemoStaff(
        username="dl.lien",
        name="Phan Thị Liên",
        licence="000107/DEMO",
        role="privacy-officer",
        facility="hospital",
    ),
    DemoStaff(
        username="dl.son",
        name="Kiều Văn Sơn",
        licence="000303/DEMO",
        role="privacy-officer",
        facility="clinic",
    ),
    # Operators give these roles outside a demo; one facility stands in for the health department's own.
    DemoStaff(
        username="hs.dao",
        name="Tống Thị Đào",
        licence="000108/DEMO",
        role="registry-officer",
        facility="hospital",
    ),
    DemoStaff(
        username="hs.luu",
        name="Khúc Văn Lưu",
        licence="000109/DEMO",
        role="registry-officer",
        facility="hospital",
    ),
    DemoStaff(
        username="pt.mai",
        name="Chử Thị Mai",
        licence="000110/DEMO",
        role="department-analyst",
        facility="hospital",
    ),
    DemoStaff(
        username="pt.ha",
        name="Lều Thu Hà",
        licence="000112/DEMO",
        role="department-analyst",
        facility="hospital",
    ),
    DemoStaff(
        username="tv.ngan",
        name="Quách Thúy Ngân",
        licence="000111/DEMO",
        role="hotline-agent",
        facility="hospital",
    ),
    DemoStaff(username="tn.vy", name="Cao Tường Vy", licence="000302/DEMO", role="clerk", facility="clinic"),
)


def facility_of(key: str) -> DemoFacility:
    return next(facility for facility in FACILITIES if facility.key == key)
