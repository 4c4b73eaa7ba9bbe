"""`python -m bench.vital_alerts`: the two tables of docs/vitals.md that say what the alert machine does."""

import sys

from bench import vital_burden, vital_traces

if __name__ == "__main__":
    sys.stdout.write(vital_burden.table(vital_burden.measured()) + "\n\n" + vital_traces.table() + "\n")
