"""XML4: results of tests and imaging. A result keeps its id from the order on, empty or full."""

from collections import defaultdict
from typing import Final

from ehr.intake import systems
from ehr.intake.episode import Episode, concept, identified, value_of
from ehr.intake.map_orders import practitioners
from ehr.intake.xml_fields import Row

# First two digits of the national service code: 18 imaging (chapter of the service list; unconfirmed).
_IMAGING: Final = "18"


class Orders:
    """When each service of XML3 was ordered: what a result is found again by, whose own table says only
    when it came (ehr-core.md §1.2: matched by code and order time)."""

    def __init__(self, services: list[Row]) -> None:
        self._known: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in services:
            if row.text("MA_DICH_VU"):
                self._known[row.text("MA_DICH_VU")].append((row.text("NGAY_YL"), row.text("NGAY_KQ")))
        for orders in self._known.values():
            orders.sort()
        self._used: dict[tuple[str, str], set[int]] = defaultdict(set)

    def find(self, service: str, indicator: str, reported: str) -> str:
        """The order of a result: of the same result time, else the last before it, else the next free one."""
        orders, used = self._known.get(service, []), self._used[service, indicator]
        free = [index for index in range(len(orders)) if index not in used]
        if not free:
            return ""
        same = [index for index in free if reported and orders[index][1] == reported]
        before = [index for index in free if reported and orders[index][0] <= reported]
        found = same[0] if same else before[-1] if before else free[0]
        used.add(found)
        return orders[found][0]


def map_results(rows: list[Row], episode: Episode) -> None:
    """All lines of XML4. Those with a time look for their order first, what waits takes what is left."""
    orders = Orders(episode.tables.of("XML3"))
    for row in sorted(rows, key=lambda row: (not row.text("NGAY_KQ"), row.text("NGAY_KQ"))):
        name = row.first("MA_CHI_SO", "TEN_CHI_SO")
        ordered = orders.find(row.text("MA_DICH_VU"), name, row.text("NGAY_KQ"))
        map_result(row, episode, ordered)


def map_result(row: Row, episode: Episode, ordered: str) -> None:
    """One line of XML4: an Observation, or a DiagnosticReport where only a description is given."""
    reported = row.moment("NGAY_KQ")
    name = row.first("TEN_CHI_SO", "MA_CHI_SO")
    if not row.text("GIA_TRI") and not name:
        _map_report(row, episode, reported, ordered)
        return
    value = value_of(row.text("GIA_TRI"), row.text("DON_VI_DO"))
    codes = ((systems.INDICATOR, row.text("MA_CHI_SO")), (systems.SERVICE, row.text("MA_DICH_VU")))
    identity = (row.text("MA_DICH_VU"), row.first("MA_CHI_SO", "TEN_CHI_SO"), ordered)
    status = "final" if value else "preliminary" if row.first("KET_LUAN", "MO_TA") else "registered"
    notes = [text for text in (row.text("MO_TA"),) if text]
    episode.add(
        episode.numbered("Observation", "XML4", *identity),
        {
            "status": status,
            "category": [concept("", (systems.OBSERVATION_CATEGORY, "laboratory"))],
            "code": concept(name, *codes),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": reported or episode.start,
            "issued": reported if len(reported) > 10 else "",
            "performer": practitioners(row.text("MA_BS_DOC_KQ")),
            "device": identified(systems.MACHINE, row.text("MA_MAY")),
            **value,
            "interpretation": [concept(row.text("KET_LUAN"))] if row.text("KET_LUAN") else [],
            "note": [{"text": text} for text in notes],
        },
        row,
    )


def _map_report(row: Row, episode: Episode, reported: str, ordered: str) -> None:
    code = row.text("MA_DICH_VU")
    if not code:
        return
    kind = "RAD" if code.startswith(_IMAGING) else "OTH"
    texts = [text for text in (row.text("KET_LUAN"), row.text("MO_TA")) if text]
    named = {r.text("MA_DICH_VU"): r.text("TEN_DICH_VU") for r in episode.tables.of("XML3")}
    episode.add(
        episode.numbered("DiagnosticReport", "XML4", code, ordered),
        {
            "status": "final" if texts else "registered",
            "category": [concept("", (systems.REPORT_CATEGORY, kind))],
            "code": concept(named.get(code, ""), (systems.SERVICE, code)),
            "subject": episode.patient,
            "encounter": episode.encounter,
            "effectiveDateTime": reported or episode.start,
            "performer": practitioners(row.text("MA_BS_DOC_KQ")),
            "conclusion": "\n".join(texts),
        },
        row,
    )
