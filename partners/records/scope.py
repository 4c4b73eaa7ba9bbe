"""What a group of data may be made of: never more than the Access lets out, nor more than the group needs."""

from collections.abc import Iterable
from datetime import datetime

from ehr.reads.scope import Scope, scope_of
from kernel.access import Access, PartnerGroup
from kernel.data_groups import types_of_groups


def scope_of_groups(access: Access, groups: Iterable[PartnerGroup], now: datetime) -> Scope:
    """$1-$9 of the one filter (ehr/reads/scope.py), with the types of these groups alone."""
    patient_id, labels, types, *rest = scope_of(access, now)
    needed = types_of_groups(groups)
    kept = sorted(needed if types is None else needed.intersection(types))
    return patient_id, labels, list[str](kept), *rest  # type: ignore[return-value]
