"""Ask what choosing a detector on some recordings is worth on the others.

    python studies/choice_study.py coad.jsonl neighbors.jsonl

Made the table "Choosing a detector" in docs/evidence.md.

The files are results of ``skcoad benchmark`` on the UCR archive, for all candidates on
the same series. Each recording (see `recording` in ``_study.py``) is left out in turn,
the candidate with the best mean of a metric over the other recordings is chosen, and
judged on the series of the one left out.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import pandas as pd
from _study import markdown_table, recording

from skcoad.benchmark import read_results

METRICS = {"hit_at_1": "Acc@1, %", "auc_pr": "AUC-PR", "vus_pr": "VUS-PR"}


def means(paths: list[Path]) -> pd.DataFrame:
    """Metrics of each detector on each series, the mean of its seeds.

    Parameters
    ----------
    paths : list of Path
        Results files.

    Returns
    -------
    DataFrame
        One row for each detector and series, with the series' ``recording``.

    Raises
    ------
    ValueError
        If the detectors were not run on the same series.
    """
    rows = [
        {"detector": result["detector"], "series": result["series"]}
        | {metric: float(result["metrics"][metric]) for metric in METRICS}
        for path in paths
        for result in read_results(path)
    ]
    table = pd.DataFrame(rows).groupby(["detector", "series"], as_index=False).mean()
    counts = table["detector"].value_counts()
    if counts.nunique() > 1:
        raise ValueError(f"detectors differ in their series: {counts.to_dict()}")
    return table.assign(recording=table["series"].map(recording))


def left_out(table: pd.DataFrame, by: str) -> tuple[pd.Series[float], Counter[str]]:
    """Judge a choice on the recordings that it was not made on.

    Parameters
    ----------
    table : DataFrame
        From :func:`means`.
    by : str
        The metric to choose by.

    Returns
    -------
    metrics : Series
        Means over all series, each when its recording was left out.
    chosen : Counter
        How often each detector was chosen.
    """
    by_recording = table.groupby(["recording", "detector"])[by].mean().unstack()
    parts, chosen = [], Counter[str]()
    for name, series in table.groupby("recording"):
        best = str(by_recording.drop(index=name).mean().idxmax())
        chosen[best] += 1
        parts.append(series[series["detector"] == best])
    return pd.concat(parts)[list(METRICS)].mean(), chosen


def line(name: str, metrics: pd.Series[float]) -> list[str]:
    """Row of the table."""
    return [
        name,
        f"{100 * metrics['hit_at_1']:.1f}",
        f"{metrics['auc_pr']:.3f}",
        f"{metrics['vus_pr']:.3f}",
    ]


def report(table: pd.DataFrame) -> str:
    """Markdown table of all candidates, and of choices left out."""
    rows = [
        line(str(name), own[list(METRICS)].mean())
        for name, own in table.groupby("detector")
    ]
    for metric, title in METRICS.items():
        metrics, chosen = left_out(table, metric)
        counts = ", ".join(f"{name} {n}" for name, n in chosen.most_common())
        rows.append(
            line(f"left out, chosen by {title.split(',')[0]}: {counts}", metrics)
        )
    return markdown_table(["detector", *METRICS.values()], rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", help="results files")
    print(report(means(parser.parse_args().results)))


if __name__ == "__main__":
    main()
