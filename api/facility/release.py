"""When people see a facility's results: its rules, and letting go what waited for a look."""

from typing import Annotated, Any

from litestar import Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from api.request import Call, answer
from audit.service import record_act, record_admin_event
from ehr.visibility import release
from ehr.visibility.models import ReleaseCategory, ReleasePolicy, ReleaseRule

TAGS = ["records"]


class PolicyBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """hours counts for after-hours alone: 1 to 720."""

    rule: ReleaseRule
    hours: Annotated[int, Meta(ge=0, le=720)] = 0


class PolicyView(Struct, kw_only=True):
    """is_own: set by the facility; else the rule for everywhere."""

    category: ReleaseCategory
    rule: ReleaseRule
    hours: int
    is_own: bool


class Policies(Struct, kw_only=True):
    """A category that is not listed is shown at once."""

    items: list[PolicyView]


class ReviewBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """unit: `episode:<MA_LK>`, or `bundle:<system>|<value>` of a document Bundle's identifier. references:
    the sender's own names (`Observation/1`) of some of its results; none means all of them."""

    unit: Annotated[str, Meta(min_length=3, max_length=300)]
    references: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=100)] = []


class Reviewed(Struct, kw_only=True):
    """Noted. What waited is released; whether anything did, and for whom, is not told (security.md S19)."""

    unit: str


@get(
    "/v1/facility/release-policies",
    actors=("facility-admin",),
    operation_id="facility_release_policies",
    tags=TAGS,
    problems=(),
)
async def list_policies(call: NamedDependency[Call]) -> Response[Policies]:
    """The rules in force for what the facility sends."""
    async with call.begin() as (tx, actor):
        assert actor.facility_id is not None
        found = await release.policies(tx, actor.facility_id)
    return answer(Policies(items=[_view(one) for one in found]))


@put(
    "/v1/facility/release-policies/{category:str}",
    actors=("facility-admin",),
    operation_id="facility_set_release_policy",
    tags=TAGS,
    problems=(),
)
async def set_policy(
    category: FromPath[ReleaseCategory], data: JSONBody[PolicyBody], call: NamedDependency[Call]
) -> Response[PolicyView]:
    """Set the rule of one category; what waits already keeps its time."""
    async with call.begin() as (tx, actor):
        assert actor.facility_id is not None
        made = await release.set_policy(
            tx, actor.facility_id, category, data.rule, data.hours, actor.actor_id, call.now
        )
        said = f"{category}: {data.rule}, {data.hours} h"
        await record_admin_event(tx, str(actor.actor_id), "results:set-release", said, 1, call.now)
    return answer(_view(made))


@post(
    "/v1/facility/reviews",
    actors=("facility-system", "doctor"),
    operation_id="facility_review",
    tags=TAGS,
    status_code=202,
    problems=(),
)
async def review(data: JSONBody[ReviewBody], call: NamedDependency[Call]) -> Response[Reviewed]:
    """Say that somebody looked at results: the person sees them now."""
    async with call.begin() as (tx, actor):
        done = await release.review(
            tx, call.keys, str(actor.facility_id), data.unit, data.references, call.now
        )
        if done is not None:
            await record_act(
                tx, done[0], actor, "record:result:release", request_id=call.request_id, now=call.now
            )
    return answer(Reviewed(unit=data.unit))


def _view(policy: ReleasePolicy) -> PolicyView:
    return PolicyView(
        category=policy.category, rule=policy.rule, hours=policy.hours, is_own=policy.facility_id.int != 0
    )


handlers: list[Any] = [list_policies, set_policy, review]
