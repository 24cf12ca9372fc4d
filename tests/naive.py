"""Brute-force twins of the core: the definitions, read aloud, in loops."""

import cmath
from math import log, nan, pi, sqrt


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
    heard = [[] for _ in range(n_timestamps)]
    starts = window_starts(n_timestamps, window_size, step)
    for start, window in zip(starts, scores, strict=True):
        for offset, score in enumerate(window):
            heard[start + offset].append(score)
    if aggregation == "max":
        return [max(scores) for scores in heard]
    return [sum(scores) / len(scores) for scores in heard]


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
        seen = [x[i] for i in around if missing is None or not missing[i]]
        average.append(sum(seen) / len(seen) if seen else nan)
    return average


def patches(window, patch_size):
    return [list(window[i : i + patch_size]) for i in range(0, len(window), patch_size)]


def soft_mask(patches, probabilities, mask_embedding, weight, bias):
    """Eq. 5: E = A * e_mask + (1 - A) * W_m x for each patch."""
    embedded = []
    for patch, a in zip(patches, probabilities, strict=True):
        row = []
        for unit in range(len(mask_embedding)):
            own = bias[unit] + sum(
                w * v for w, v in zip(weight[unit], patch, strict=True)
            )
            row.append(a * mask_embedding[unit] + (1 - a) * own)
        embedded.append(row)
    return embedded


def fuse(probabilities, fusion):
    """Decisions of the branches, one list for each, to one list."""
    if fusion == "max":
        return [max(branches) for branches in zip(*probabilities, strict=True)]
    return [sum(b) / len(b) for b in zip(*probabilities, strict=True)]


def joint_loss(direct, residual, reconstruction, normal, changed, missing, loss_weight):
    """Eq. 10 with a positive weight of 2; all arguments are lists of windows."""
    entropies, inside, outside = [], [], []
    for b, window in enumerate(normal):
        patch_size = len(window) // len(direct[b])
        for patch in range(len(direct[b])):
            points = range(patch * patch_size, (patch + 1) * patch_size)
            label = any(changed[b][t] for t in points)
            for p in (direct[b][patch], residual[b][patch]):
                entropies.append(-2 * log(p) if label else -log(1 - p))
        for t, value in enumerate(window):
            if missing[b][t]:
                continue
            squared = (reconstruction[b][t] - value) ** 2
            (inside if changed[b][t] else outside).append(squared)
    # One is added to the counts, so that a batch without distortion has a loss.
    error = (sum(inside) / (len(inside) + 1) + sum(outside) / (len(outside) + 1)) / 2
    return sum(entropies) / len(entropies) + loss_weight * error


def centred(subsequence):
    mean = sum(subsequence) / len(subsequence)
    return [v - mean for v in subsequence], mean


def distance(one, other):
    """Root mean squared difference of two subsequences; the level counts a fifth."""
    shapes, levels = zip(centred(one), centred(other), strict=True)
    squares = sum((a - b) ** 2 for a, b in zip(*shapes, strict=True)) / len(one)
    return sqrt(squares + 0.2**2 * (levels[0] - levels[1]) ** 2)


def nearest(series, query, excluded=()):
    """Distance, place and moved values of the nearest subsequence of a series."""
    length = len(query)
    distances = {
        place: distance(query, series[place : place + length])
        for place in range(len(series) - length + 1)
        if place not in excluded
    }
    place = min(distances, key=distances.get)
    values, level = centred(series[place : place + length])[0], centred(query)[1]
    return distances[place], place, [v + level for v in values]


def say(missing):
    """How much a stretch counts of which some is missing."""
    return max((1 - sum(missing) / len(missing)) ** 16, 1e-6)


def counterpart(series, x, missing, length, starts, places):
    """References at the level of their stretches, faded into each other."""
    values, weights = ([[] for _ in x] for _ in range(2))
    for start, place in zip(starts, places, strict=True):
        shape, _ = centred(series[place : place + length])
        _, level = centred(x[start : start + length])
        counts = say(missing[start : start + length])
        for i in range(length):
            fade = 1 - abs((i + 0.5) / length * 2 - 1) + 1e-3
            values[start + i].append(fade * counts * (shape[i] + level))
            weights[start + i].append(fade * counts)
    return [sum(v) / sum(w) for v, w in zip(values, weights, strict=True)]


def excess(series, own, spacing, x, missing, length, starts, places):
    """Mean excess distance of the stretches that cover each point."""
    heard, weights = ([[] for _ in x] for _ in range(2))
    last = len(series) - 1
    hop = starts[1] if len(starts) > 1 else 1
    for start in range(len(x) - length + 1):
        before = start // hop
        after = min(before + 1, len(starts) - 1)
        counts = say(missing[start : start + length])
        found = []
        for k in (before, after):
            place = places[k] + start - starts[k]
            # Where the series has ended, it goes on with its last value.
            other = [series[min(max(place + i, 0), last)] for i in range(length)]
            held = min(max(place + spacing // 2, 0) // spacing, len(own) - 1)
            found.append((distance(x[start : start + length], other), own[held]))
        farness, usual = min(found, key=lambda pair: pair[0])
        for i in range(start, start + length):
            heard[i].append(counts * (farness - usual))
            weights[i].append(counts)
    return [sum(h) / sum(w) for h, w in zip(heard, weights, strict=True)]


def joint_score(probability, error, value_excess, change_excess, width):
    """Geometric mean of what classifier, reconstruction, values and changes say."""
    p, e = moving_average(probability, width), moving_average(error, width)
    return [
        ((p + 0.4) * (e + 1) * (max(v, 0) + 0.05) * (max(c, 0) + 0.1)) ** (1 / 4)
        for p, e, v, c in zip(p, e, value_excess, change_excess, strict=True)
    ]


def score_parts(network, x, references, starts, window_size, patch_size, aggregation):
    """Probability and error of each timestamp; the network sees one window a time."""
    heard = [([], []) for _ in range(len(x))]
    for start in starts:
        window = x[None, start : start + window_size]
        reference = None
        if references is not None:
            reference = references[None, start : start + window_size]
        output = network(window, reference)
        for offset in range(window_size):
            probability = output.probability[0, offset // patch_size].item()
            value = output.reconstruction[0, offset].item()
            heard[start + offset][0].append(probability)
            heard[start + offset][1].append(abs(value - window[0, offset].item()))
    gather = max if aggregation == "max" else lambda values: sum(values) / len(values)
    return [gather(p) for p, _ in heard], [gather(e) for _, e in heard]
