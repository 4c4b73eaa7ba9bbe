"""What lists of the population say of the person: the household, the groups, and which list since when."""

from datetime import date
from typing import Any, Final, Literal

from litestar import Response, get
from litestar.di import NamedDependency
from msgspec import Struct

from api.acting import begin_for
from api.request import Call, answer
from identity import people
from identity.population.groups import groups_of, title_of
from identity.population.listed import listed
from identity.population.models import Listed, ListKind
from kernel.clock import local_day

NOTICE_VI: Final = (
    "Thông tin do cơ quan nhà nước gửi theo danh sách, đặt bên cạnh hồ sơ của bạn và không thay đổi họ tên,"
    " ngày sinh, giới tính trong hồ sơ. Nếu sai, hãy báo cơ quan lập danh sách hoặc gửi yêu cầu chỉnh sửa"
    " trong sổ."
)
_TITLES: Final[dict[ListKind, str]] = {
    "residents": "Danh sách dân cư",
    "cards": "Danh sách thẻ bảo hiểm y tế",
    "households": "Danh sách hộ gia đình",
}


class PopulationGroup(Struct, kw_only=True):
    """A group that the person is in today, by age or because a list says so."""

    key: str
    title_vi: str


class OwnListing(Struct, kw_only=True):
    """What one list says. listed_on: since when it says so. Cards themselves: GET /v1/me/coverage."""

    kind: Literal["residents", "cards", "households"]
    title_vi: str
    listed_on: date
    household: str | None
    role: str | None
    relation: str | None
    address: str | None
    commune: str | None


class OwnListings(Struct, kw_only=True):
    groups: list[PopulationGroup]
    lists: list[OwnListing]
    notice_vi: str


@get("/v1/me/listings", actors=("citizen",), operation_id="list_own_listings", tags=["account"], problems=())
async def list_own_listings(call: NamedDependency[Call]) -> Response[OwnListings]:
    """List what authorities' lists say of the person beside the book, and the groups that follow from it."""
    async with begin_for(call, "read-account") as (tx, access):
        found = await listed(tx, call.keys, access.patient_id)
        known = await people.person_of(tx, call.keys, access)
    keys = groups_of(known.birth_date if known else None, [one.says for one in found], local_day(call.now))
    lists = [_shown(one) for one in found]
    named = [PopulationGroup(key=key, title_vi=title_of(key)) for key in keys]
    return answer(OwnListings(groups=named, lists=lists, notice_vi=NOTICE_VI))


def _shown(one: Listed) -> OwnListing:
    return OwnListing(
        kind=one.kind,
        title_vi=_TITLES[one.kind],
        listed_on=local_day(one.listed_at),
        household=one.says.household,
        role=one.says.role,
        relation=one.says.relation,
        address=one.says.address,
        commune=one.says.commune,
    )


handlers: list[Any] = [list_own_listings]
