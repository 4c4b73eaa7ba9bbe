"""Glucose figures by an independent program: run by hand, never by the tests, never installed beside us.

iglu-python is GPL-2: it lives in an environment of its own, which this script makes, and only the figures
that it prints stand in the repository (tests/vitals/figures/iglu.json). Anew, from the repository's root:

    python3 tests/oracles/iglu_figures.py > tests/vitals/figures/iglu.json

Readings are whole mg/dL as the files have them, without interpolation.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

VERSION = "0.4.3"
DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "vitals" / "cgm"

ASK = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import iglu_python as iglu
import pandas as pd

people = {}
for path in sys.argv[1:]:
    table = pd.read_csv(path, dtype={"id": str})[["id", "time", "gl"]].dropna()
    table["time"] = pd.to_datetime(table["time"])
    for name, one in table.groupby("id"):
        one = one.reset_index(drop=True)
        def value(frame, column):
            return round(float(frame.iloc[0][column]), 6)
        inside = iglu.in_range_percent(one, target_ranges=[[70, 180], [63, 140]])
        below = iglu.below_percent(one, targets_below=[54, 70])
        above = iglu.above_percent(one, targets_above=[180, 250])
        quantiles = iglu.quantile_glu(one, quantiles=[5, 25, 50, 75, 95])
        people[name] = {
            "readings": len(one),
            "mean": value(iglu.mean_glu(one), "mean"),
            "sd": value(iglu.sd_glu(one), "SD"),
            "cv": value(iglu.cv_glu(one), "CV"),
            "gmi": value(iglu.gmi(one), "GMI"),
            "in_range": value(inside, "in_range_70_180"),
            "in_range_pregnancy": value(inside, "in_range_63_140"),
            "below": value(below, "below_70"),
            "very_low": value(below, "below_54"),
            "above": value(above, "above_180"),
            "very_high": value(above, "above_250"),
            "percentiles": [round(float(quantiles.iloc[0][c]), 6) for c in quantiles.columns if c != "id"],
        }
print(json.dumps(people))
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = f"{folder}/bin/python"
        install = [python, "-m", "pip", "install", "--quiet", f"iglu-python=={VERSION}"]
        subprocess.run(install, check=True, stdout=sys.stderr)
        files = sorted(str(path) for path in DATA.glob("*.csv"))
        said = subprocess.run([python, "-c", ASK, *files], check=True, capture_output=True, text=True)
    made = {"made_by": f"iglu-python {VERSION}", "people": json.loads(said.stdout)}
    sys.stdout.write(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
