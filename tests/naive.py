"""Reference implementations of the core: the definitions as loops, by brute force."""

import cmath
from math import inf, log, nan, pi, sqrt


def window_starts(n_timestamps, window_size, step):
    starts = []
    start = 0
    while start + window_size <= n_timestamps:
        starts.append(start)
        start += step
    if starts[-1] + window_size < n_timestamps:
        starts.append(n_timestamps - window_size)
    return starts


def sliding_windows(x, window_size, step):
    return [x[s : s + window_size] for s in window_starts(len(x), window_size, step)]


def windows_to_timestamps(scores, n_timestamps, window_size, step, aggregation):
    """`scores`: one list for each window, with one score for each of its points."""
    covering = [[] for _ in range(n_timestamps)]
    starts = window_starts(n_timestamps, window_size, step)
    for start, window in zip(starts, scores, strict=True):
        for offset, score in enumerate(window):
            covering[start + offset].append(score)
    if aggregation == "max":
        return [max(scores) for scores in covering]
    return [sum(scores) / len(scores) for scores in covering]


def rolling_sum(x, width):
    return [sum(x[i : i + width]) for i in range(len(x) - width + 1)]


def overlap_add(total, windows, starts, reduce):
    result = list(total)
    for start, window in zip(starts, windows, strict=True):
        for t, value in enumerate(window, start):
            result[t] = result[t] + value if reduce == "sum" else max(result[t], value)
    return result


def coverage_weight(missing, power):
    """Weight of a window of which some values are missing."""
    observed = [not value for value in missing]
    return max((sum(observed) / len(observed)) ** power, 1e-6)


def interpolate_missing(x):
    """Walk from each missing value, None, to the nearest observed on either side."""
    interpolated = []
    for i, value in enumerate(x):
        before = [j for j in range(i + 1) if x[j] is not None]
        after = [j for j in range(i, len(x)) if x[j] is not None]
        if value is not None:
            interpolated.append(value)
        elif before and after:
            left, right = before[-1], after[0]
            slope = (x[right] - x[left]) / (right - left)
            interpolated.append(x[left] + slope * (i - left))
        elif before or after:
            interpolated.append(x[before[-1] if before else after[0]])
        else:
            interpolated.append(0.0)
    return interpolated


def at(x, t, padding):
    """Value at a time that may lie before or after the series."""
    if padding == "edge":
        return x[min(max(t, 0), len(x) - 1)]
    while not 0 <= t < len(x):
        t = -t if t < 0 else 2 * (len(x) - 1) - t
    return x[t]


def row_of_timestamp(x, t, window_size, align, padding):
    first = t - (window_size - 1 if align == "trailing" else window_size // 2)
    return [at(x, first + offset, padding) for offset in range(window_size)]


def dft(values):
    n = len(values)
    return [
        sum(v * cmath.exp(-2j * pi * k * i / n) for i, v in enumerate(values))
        for k in range(n // 2 + 1)
    ]


def stft(x, taper):
    """Coefficients of the frame around each timestamp; mirrored borders."""
    n_fft = len(taper)
    frames = [
        [at(x, t - n_fft // 2 + i, "reflect") for i in range(n_fft)]
        for t in range(len(x))
    ]
    return [dft([v * w for v, w in zip(f, taper, strict=True)]) for f in frames]


def autocorrelation(x, max_lag):
    n = len(x)
    mean = sum(x) / n
    centred = [v - mean for v in x]
    covariance = [
        sum(centred[i] * centred[i + lag] for i in range(n - lag)) / (n - lag)
        for lag in range(max_lag + 1)
    ]
    return [c / covariance[0] for c in covariance]


def moving_average(x, width, missing=None):
    average = []
    for t in range(len(x)):
        first = t - width // 2
        around = [i for i in range(first, first + width) if 0 <= i < len(x)]
        observed = [x[i] for i in around if missing is None or not missing[i]]
        average.append(sum(observed) / len(observed) if observed else nan)
    return average


def patches(window, patch_size):
    return [list(window[i : i + patch_size]) for i in range(0, len(window), patch_size)]


def soft_mask(patches, probabilities, mask_embedding, weight, bias):
    """Eq. 5: E = A * e_mask + (1 - A) * W_m x for each patch."""
    embedded = []
    for patch, a in zip(patches, probabilities, strict=True):
        row = []
        for unit in range(len(mask_embedding)):
            linear = bias[unit] + sum(
                w * v for w, v in zip(weight[unit], patch, strict=True)
            )
            row.append(a * mask_embedding[unit] + (1 - a) * linear)
        embedded.append(row)
    return embedded


def fuse(probabilities, fusion):
    """Decisions of the branches, one list for each, to one list."""
    if fusion == "max":
        return [max(branches) for branches in zip(*probabilities, strict=True)]
    return [sum(b) / len(b) for b in zip(*probabilities, strict=True)]


def joint_loss(
    direct, residual, reconstruction, normal, distortion_mask, missing, loss_weight
):
    """Eq. 10 with a positive weight of 2; all arguments are lists of windows."""
    entropies, inside, outside = [], [], []
    for b, window in enumerate(normal):
        patch_size = len(window) // len(direct[b])
        for patch in range(len(direct[b])):
            points = range(patch * patch_size, (patch + 1) * patch_size)
            label = any(distortion_mask[b][t] for t in points)
            for p in (direct[b][patch], residual[b][patch]):
                entropies.append(-2 * log(p) if label else -log(1 - p))
        for t, value in enumerate(window):
            if missing[b][t]:
                continue
            squared = (reconstruction[b][t] - value) ** 2
            (inside if distortion_mask[b][t] else outside).append(squared)
    # One is added to the counts, so that a batch without distortion has a loss.
    error = (sum(inside) / (len(inside) + 1) + sum(outside) / (len(outside) + 1)) / 2
    return sum(entropies) / len(entropies) + loss_weight * error


def centred(subsequence):
    mean = sum(subsequence) / len(subsequence)
    return [v - mean for v in subsequence], mean


def distance(one, other):
    """Root mean squared difference after shrinking the mean of both."""
    values, means = zip(centred(one), centred(other), strict=True)
    squares = sum((a - b) ** 2 for a, b in zip(*values, strict=True)) / len(one)
    return sqrt(squares + 0.2**2 * (means[0] - means[1]) ** 2)


def nearest(series, query, excluded=()):
    """Distance, index and values, at the query's mean, of the nearest subsequence."""
    length = len(query)
    distances = {
        index: distance(query, series[index : index + length])
        for index in range(len(series) - length + 1)
        if index not in excluded
    }
    index = min(distances, key=distances.get)
    values, mean = centred(series[index : index + length])[0], centred(query)[1]
    return distances[index], index, [v + mean for v in values]


def retrieve(series, x, missing, length, query_offsets, indices):
    """Neighbours at the mean of their queries, cross-faded."""
    values, weights = ([[] for _ in x] for _ in range(2))
    for offset, index in zip(query_offsets, indices, strict=True):
        neighbor, _ = centred(series[index : index + length])
        _, mean = centred(x[offset : offset + length])
        weight = coverage_weight(missing[offset : offset + length], 16)
        for i in range(length):
            fade = 1 - abs((i + 0.5) / length * 2 - 1) + 1e-3
            values[offset + i].append(fade * weight * (neighbor[i] + mean))
            weights[offset + i].append(fade * weight)
    return [sum(v) / sum(w) for v, w in zip(values, weights, strict=True)]


def z_normalized(subsequence, floor=0.02**2):
    values, _ = centred(subsequence)
    variance = sum(v * v for v in values) / len(values)
    return [v / sqrt(variance + floor) for v in values]


def z_normalized_distance(one, other):
    """Root mean squared difference after z-normalisation, with a floor."""
    pairs = zip(z_normalized(one), z_normalized(other), strict=True)
    return sqrt(sum((a - b) ** 2 for a, b in pairs) / len(one))


METRICS = {"euclidean": distance, "znormalized": z_normalized_distance}


def join(series, missing, x, length, metric, itself=None):
    """Distance of every subsequence of `x` to its nearest in `series`; maybe inf.

    `itself`: where `x` stands in `series`; then what overlaps is no neighbour.
    """
    starts = range(len(series) - length + 1)
    complete = [i for i in starts if not any(missing[i : i + length])] or starts
    distances = []
    for i in range(len(x) - length + 1):
        allowed = [
            METRICS[metric](x[i : i + length], series[j : j + length])
            for j in complete
            if itself is None or abs(i + itself - j) >= length
        ]
        distances.append(min(allowed, default=inf))
    return distances


def baseline_distances(distances, incomplete, length):
    """Largest within an eighth of the length; 0 for the incomplete and lonely.

    And 0 for what is repeated exactly.
    """
    known = [
        0 if unknown or d == inf else d
        for d, unknown in zip(distances, incomplete, strict=True)
    ]
    radius = length // 8
    return [
        0 if d == 0 else max(known[max(0, i - radius) : i + radius + 1])
        for i, d in enumerate(distances)
    ]


def excess_distance(distances, indices, baseline, length, missing):
    """Mean excess distance of the subsequences that cover each point."""
    covering, weights = ([[] for _ in missing] for _ in range(2))
    for start, (d, index) in enumerate(zip(distances, indices, strict=True)):
        excess = 0 if d == inf else d - baseline[index]
        weight = coverage_weight(missing[start : start + length], 16)
        for t in range(start, start + length):
            covering[t].append(weight * excess)
            weights[t].append(weight)
    return [sum(c) / sum(w) for c, w in zip(covering, weights, strict=True)]


def decades(normal, value):
    """Rarity: decades of the fraction of normal values that are as large or larger."""
    n_above = sum(other >= value for other in normal)
    return -log(n_above / len(normal), 10)


def weighted_quadratic_mean(rows, weights):
    return [
        sqrt(sum(w * value**2 for w, value in zip(weights, column, strict=True)))
        for column in zip(*rows, strict=True)
    ]


def quadratic_mean(*evidence):
    return [
        sqrt(sum(e * e for e in values) / len(values))
        for values in zip(*evidence, strict=True)
    ]


def score_components(
    network, x, references, starts, window_size, patch_size, aggregation
):
    """Probability and error of each timestamp; the network sees one window a time."""
    covering = [([], []) for _ in range(len(x))]
    for start in starts:
        window = x[None, start : start + window_size]
        reference = None
        if references is not None:
            reference = references[None, start : start + window_size]
        output = network(window, reference)
        for offset in range(window_size):
            probability = output.probability[0, offset // patch_size].item()
            value = output.reconstruction[0, offset].item()
            covering[start + offset][0].append(probability)
            covering[start + offset][1].append(abs(value - window[0, offset].item()))
    aggregate = (
        max if aggregation == "max" else lambda values: sum(values) / len(values)
    )
    return [aggregate(p) for p, _ in covering], [aggregate(e) for _, e in covering]


def event_peaks(scores, threshold, separation):
    """Highest score of each event; near scores above the threshold are one event."""
    peaks, last = [], None
    for i, score in enumerate(scores):
        if score <= threshold:
            continue
        if last is not None and i - last <= separation:
            peaks[-1] = max(peaks[-1], score)
        else:
            peaks.append(score)
        last = i
    return peaks
