"""How the page of a client's wish looks: one template, every value escaped (security.md S35)."""

from collections.abc import Mapping
from typing import Final, Literal
from urllib.parse import urlsplit

from msgspec import Struct

from api.connecting import Asking
from api.pages.docs import HTML
from api.pages.plain import LOOK, plain_page
from api.request import Answer, Call, answer
from identity.app_clients.models import AppClient
from kernel import spoken_codes
from kernel.problems import ProblemType
from partners.smart.authorizing import Choice
from partners.smart.policy import derived
from partners.smart.requests import origin_of
from partners.smart.texts import box_text, days_text

Step = Literal["none", "choose", "tick", "app", "digits", "go", "back"]
_TITLES: Final[dict[Step, str]] = {
    "none": "Kết nối",
    "choose": "Có đơn vị muốn xem sổ của bạn",
    "tick": "Bạn cho xem những gì?",
    "app": "Duyệt trong ứng dụng",
    "digits": "Bước cuối",
    "go": "Đang chuyển tới nơi đăng nhập",
    "back": "Không kết nối được",
}


class Box(Struct, frozen=True):
    name: str
    text: str
    ticked: bool


class Days(Struct, frozen=True):
    value: int
    text: str
    chosen: bool


class Page(Struct, frozen=True):
    """What one page shows. leads_to: where its forms may end up, beside this site."""

    title: str
    step: Step = "none"
    problem: ProblemType | None = None
    client: AppClient | None = None
    home: str = ""
    page_secret: str = ""
    boxes: tuple[Box, ...] = ()
    days: tuple[Days, ...] = ()
    short: bool = False
    code: str = ""
    address: str = ""
    provider: bool = False
    leads_to: str = ""


def page_of(
    call: Call,
    asking: Asking,
    secret: str,
    step: Step,
    *,
    problem: ProblemType | None = None,
    choice: Choice | None = None,
    code: str = "",
    address: str = "",
) -> Page:
    """The page of a step. choice: what was ticked before, where the form comes again."""
    ticked = frozenset() if choice is None else frozenset(choice.ticked)
    redirect = asking.row.redirect_uri
    return Page(
        _TITLES[step],
        step,
        problem=problem,
        client=asking.client,
        home=urlsplit(redirect).netloc or urlsplit(redirect).scheme,
        page_secret=derived(secret, "form"),
        boxes=tuple(Box(box, box_text(box), box in ticked) for box in asking.wish.boxes),
        days=tuple(
            Days(days, days_text(days), choice is not None and choice.days == days) for days in asking.days
        ),
        short=asking.short and asking.wish.offline,
        code=spoken_codes.in_groups(code),
        address=address,
        provider=call.verifier is not None,
        leads_to=origin_of(redirect),
    )


def page_answer(
    call: Call, page: Page, status: int = 200, *, headers: Mapping[str, str] | None = None
) -> Answer:
    """The page as it leaves. Nobody frames it; its forms lead here and to the client's own address alone."""
    shown = plain_page("connect.html", call, **_members(page))
    policy = (
        f"default-src 'none'; {LOOK}; frame-ancestors 'none'; base-uri 'none'; "
        f"form-action 'self' {page.leads_to}".rstrip()
    )
    said = {"Content-Security-Policy": policy, "X-Frame-Options": "DENY", **(headers or {})}
    return answer(shown, status, said, HTML)


def _members(page: Page) -> dict[str, object]:
    return {name: getattr(page, name) for name in page.__struct_fields__}
