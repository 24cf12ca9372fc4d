"""Write oracle.json: what TSB-AD itself computes for the cases of cases.py.

    python -m tests.metrics.make_oracle

from the root of the repository, with TSB-AD installed (``pip install --no-deps
TSB-AD``). The test that reads the file then needs no TSB-AD.
"""

import json
from importlib.metadata import version
from pathlib import Path

from . import cases, tsb_ad


def main():
    named = {**cases.EDGES, **{f"seed {s}": cases.random_case(s) for s in range(24)}}
    record = {
        "command": "python -m tests.metrics.make_oracle",
        "tsb_ad": version("TSB-AD"),
        "cases": [
            {
                "name": name,
                "y_true": "".join(map(str, y_true)),
                "y_score": y_score.tolist(),
                "window": window,
                "expected": tsb_ad.all_metrics(y_true, y_score, window),
            }
            for name, (y_true, y_score, window) in named.items()
        ],
    }
    lines = ",\n".join(json.dumps(case) for case in record.pop("cases"))
    head = json.dumps(record)[:-1]
    path = Path(__file__).with_name("oracle.json")
    path.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
