"""Ask how the defaults do beyond one anomaly a series and one channel.

    python studies/domains_study.py path/to/data --out domains.jsonl --jobs 2

Made the tables of "Beyond the UCR archive" in docs/results.md.

The folder holds ``nab`` (with its windows), ``skab`` (runs of valve 1), ``mgab``,
``tsb_ad`` and ``ecg``; what is missing is left out. Every detector is fitted on the
training part, which is NAB's probationary period, the first 400 rows of SKAB, the first
tenth of the ECG, and else as the name of the file says. Protocol ``tsb-ad`` scores the
whole series, ``kdd21`` what comes after the training part. Missing rows of SKAB are
interpolated, since the baselines take no missing values. Runs in the results file are
not done again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from _study import markdown_table

from skcoad import CoADDetector, NeighborsDetector
from skcoad.benchmark import BASELINES, Result, run_benchmark
from skcoad.datasets import Series, load_nab, load_series, load_tsb_ad
from skcoad.preprocessing import interpolate_missing

SKAB_TRAINING_ROWS = 400
NAMES = (
    *("CoAD", "Neighbors", "MatrixProfileAB", "KMeansAD"),
    *("KNN", "LOF", "IForest", "PCA", "RobustZScore"),
)
METRICS = ("vus_pr", "auc_pr", "best_f1", "affiliation_f1")


def read(folder: Path) -> Iterator[Series]:
    """Yield all series, named by their collection."""
    if (folder / "nab").exists():
        for series in load_nab(folder / "nab"):
            yield replace(series, name=f"nab {series.name}")
    for path in sorted((folder / "skab").glob("valve*/*.csv")):
        series = load_series(path)
        yield replace(
            series,
            values=np.apply_along_axis(interpolate_missing, 0, series.values),
            name=f"skab {path.parent.name}/{path.stem}",
            train_length=SKAB_TRAINING_ROWS,
        )
    for collection in ("mgab", "tsb_ad"):
        if (folder / collection).exists():
            for series in load_tsb_ad(folder / collection):
                yield replace(series, name=f"{collection} {series.name}")
    for path in sorted((folder / "ecg").glob("*.out")):
        values, labels = np.loadtxt(path, delimiter=",").T
        yield Series(values, labels.astype(int), len(values) // 10, f"ecg {path.stem}")


def table(results: list[Result]) -> str:
    """Markdown table of the means over each collection, the best in bold."""
    rows = []
    collections = sorted({result["series"].split()[0] for result in results})
    for collection in collections:
        means = {}
        for name in NAMES:
            own = [
                result["metrics"]
                for result in results
                if result["series"].split()[0] == collection
                and result["detector"] == name
                and result["error"] is None
            ]
            if own:
                mean = [np.mean([one[metric] for one in own]) for metric in METRICS]
                means[name, len(own)] = [f"{value:.3f}" for value in mean]
        best = [max(column) for column in zip(*means.values(), strict=True)]
        for (name, n_series), row in means.items():
            bold = [
                f"**{value}**" if value == top else value
                for value, top in zip(row, best, strict=True)
            ]
            rows.append([collection, name, str(n_series), *bold])
    header = [
        "data",
        "detector",
        "series",
        "VUS-PR",
        "AUC-PR",
        "best F1",
        "affiliation F1",
    ]
    return markdown_table(header, rows)


def main() -> None:
    """Run what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of the collections")
    parser.add_argument("--out", type=Path, default=Path("domains.jsonl"))
    parser.add_argument("--protocol", choices=("kdd21", "tsb-ad"), default="kdd21")
    parser.add_argument("--detectors", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    arguments = parser.parse_args()
    own = {"CoAD": CoADDetector(), "Neighbors": NeighborsDetector()}
    known = own | BASELINES
    results = run_benchmark(
        {name: known[name] for name in arguments.detectors},
        list(read(arguments.data)),
        arguments.out,
        protocol=arguments.protocol,
        n_jobs=arguments.jobs,
        verbose=True,
    )
    print(table(results))


if __name__ == "__main__":
    main()
