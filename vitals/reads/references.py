"""What lies behind a picture: ranges and lines with a source. What no source confirms is not drawn."""

from typing import Final

from documents.charts import Tone

# By kind, in its canonical unit, both included.
RANGES: Final[dict[str, tuple[float, float]]] = {
    # 70-180 mg/dL: international consensus on time in range (Battelino et al. 2019).
    "glucose": (3.89, 9.99),
    # HCDC 2021: below 94 % at home one asks for help.
    "spo2": (94, 100),
}
LINES: Final[dict[str, tuple[tuple[float, Tone], ...]]] = {
    # QĐ 3192/QĐ-BYT 2010: from 135/85 on, the average at home is high.
    "blood-pressure": ((135, "near"), (85, "near")),
    # HCDC 2021.
    "temperature": ((38.5, "near"),),
}
