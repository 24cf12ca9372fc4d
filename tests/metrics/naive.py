"""Reference implementations of `skcoad.metrics`: the definitions as loops."""

from itertools import groupby, pairwise
from math import inf, sqrt


def events(y_true):
    spans = []
    position = 0
    for label, run in groupby(y_true):
        length = len(list(run))
        if label:
            spans.append((position, position + length))
        position += length
    return spans


def f1(y_true, flags):
    hits = sum(1 for label, flag in zip(y_true, flags, strict=True) if label and flag)
    return 2 * hits / (sum(y_true) + sum(flags))


def best_f1(y_true, y_score):
    return max(f1(y_true, [s >= t for s in y_score]) for t in set(y_score))


def average_precision(y_true, y_score):
    area = recall_before = 0
    for threshold in sorted(set(y_score), reverse=True):
        flagged = [y for y, s in zip(y_true, y_score, strict=True) if s >= threshold]
        recall = sum(flagged) / sum(y_true)
        area += (recall - recall_before) * sum(flagged) / len(flagged)
        recall_before = recall
    return area


def point_adjusted_f1(y_true, y_score):
    values = []
    for threshold in set(y_score):
        flags = [s >= threshold for s in y_score]
        for start, stop in events(y_true):
            if any(flags[start:stop]):
                flags[start:stop] = [True] * (stop - start)
        values.append(f1(y_true, flags))
    return max(values)


def soft_labels(y_true, length):
    """Labels with buffers of `length`, half on either side of an event."""
    half = length // 2
    soft = [float(label) for label in y_true]
    for start, stop in events(y_true):
        for distance in range(1, half + 1):
            for t in (start - distance, stop - 1 + distance):
                if 0 <= t < len(soft):
                    soft[t] += sqrt(1 - distance / length)
    return [min(1.0, value) for value in soft]


def segments(y_true, length):
    """Events with their buffers, joined where they share a timestamp."""
    half = length // 2
    joined = []
    for start, stop in events(y_true):
        segment = set(range(max(0, start - half), min(len(y_true), stop + half)))
        if joined and joined[-1] & segment:
            joined[-1] |= segment
        else:
            joined.append(segment)
    return joined


def range_curve(y_true, y_score, length):
    """Points (true positive rate, false positive rate, precision)."""
    n = len(y_true)
    soft = soft_labels(y_true, length)
    parts = segments(y_true, length)
    descending = sorted(y_score, reverse=True)
    # Ranks that repeat in a short series add nothing to an area.
    ranks = sorted({int(i * (n - 1) / 249) for i in range(250)})
    points = []
    for rank in ranks:
        flagged = [t for t in range(n) if y_score[t] >= descending[rank]]
        true_positives = sum(soft[t] for t in flagged)
        counted = sum(y_true) + sum(soft[t] for t in flagged if not y_true[t])
        positives = (sum(y_true) + counted) / 2
        existence = sum(1 for p in parts if p & set(flagged)) / len(parts)
        false_positives = len(flagged) - true_positives
        points.append(
            (
                existence * min(true_positives / positives, 1),
                false_positives / (n - positives) if positives < n else 0.0,
                true_positives / len(flagged),
            )
        )
    return points


def range_auc_pr(y_true, y_score, window):
    area = rate_before = 0
    for rate, _, precision in range_curve(y_true, y_score, window):
        area += (rate - rate_before) * precision
        rate_before = rate
    return area


def range_auc_roc(y_true, y_score, window):
    area = rate_before = false_before = 0
    for rate, false_rate, _ in [*range_curve(y_true, y_score, window), (1, 1, None)]:
        area += (false_rate - false_before) * (rate + rate_before) / 2
        rate_before, false_before = rate, false_rate
    return area


def vus_pr(y_true, y_score, window):
    return mean([range_auc_pr(y_true, y_score, w) for w in range(window + 1)])


def vus_roc(y_true, y_score, window):
    return mean([range_auc_roc(y_true, y_score, w) for w in range(window + 1)])


def affiliation(y_true, flags):
    """Affiliation precision and recall, each point of time on a grid of eighths."""
    spans = events(y_true)
    borders = [0.0]
    borders += [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
    borders.append(float(len(y_true)))
    precisions, recalls = [], []
    for (start, stop), left, right in zip(spans, borders, borders[1:], strict=False):
        # The flagged time of this zone, cut at its borders.
        runs = [(max(a, left), min(b, right)) for a, b in events(flags)]
        runs = [(a, b) for a, b in runs if a < b]

        def chance_beyond(low, high, left=left, right=right):
            inside = max(0.0, min(high, right) - max(low, left))
            return 1 - inside / (right - left)

        values = []
        for time in midpoints(runs):
            d = max(start - time, time - stop, 0)
            values.append(chance_beyond(start - d, stop + d) if d > 0 else 1.0)
        if values:
            precisions.append(mean(values))

        values = []
        for time in midpoints([(start, stop)]):
            d = min((max(a - time, time - b, 0) for a, b in runs), default=inf)
            values.append(chance_beyond(time - d, time + d) if d < inf else 0.0)
        recalls.append(mean(values))
    return mean(precisions), mean(recalls)


def midpoints(runs):
    """Middles of the eighths of a timestamp that the runs consist of."""
    return [a + (k + 0.5) / 8 for a, b in runs for k in range(round(8 * (b - a)))]


def affiliation_scores(y_true, y_score):
    low, high = min(y_score), max(y_score)
    if low == high:
        candidates = [[True] * len(y_true)]
    else:
        # The last of the 100 thresholds flags nothing.
        thresholds = [low + i * ((high - low) / 99) for i in range(99)]
        candidates = [[s > t for s in y_score] for t in thresholds]
    best = (0.0, 0.0, 0.0)
    for flags in reversed(candidates):
        precision, recall = affiliation(y_true, flags)
        harmonic = 2 * precision * recall / (precision + recall)
        best = max(best, (precision, recall, harmonic), key=lambda value: value[2])
    return best


def kdd21_hit(y_true, y_score, k):
    ((start, stop),) = events(y_true)
    tolerance = max(100, stop - start)
    ranked = sorted(range(len(y_score)), key=lambda t: (-y_score[t], t))
    peaks = []
    for t in ranked:
        if y_score[t] > min(y_score) and all(abs(t - p) > tolerance for p in peaks):
            peaks.append(t)
    return any(
        abs(peak - t) <= tolerance for peak in peaks[:k] for t in range(start, stop)
    )


def mean(values):
    return sum(values) / len(values)
