import numpy as np
import pytest
import torch

from skcoad.model._distortions import DISTORTIONS, PAPER_DISTORTIONS, Segment, distort

KINDS = sorted(DISTORTIONS)
START, LENGTH = 12, 16


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def waves(n_windows=64, size=80, seed=1):
    phase = 6.3 * torch.rand(n_windows, 1, generator=generator(seed))
    noise = 0.05 * torch.randn(n_windows, size, generator=generator(seed))
    return torch.sin(torch.arange(size) / 4 + phase) + noise


def apply(kind, windows, seed=0):
    """Segment of windows before and after; at the same offset in all windows."""
    start = torch.full((len(windows), 1), START)
    offset = torch.arange(windows.shape[1]) - start
    segment = Segment(start, torch.full_like(start, LENGTH), offset)
    after = DISTORTIONS[kind](windows, segment, generator(seed))
    inside = slice(START, START + LENGTH)
    return windows[:, inside].numpy(), after[:, inside].numpy()


def test_the_paper_has_four_kinds_and_all_exist():
    assert PAPER_DISTORTIONS == ("uniform", "flip", "time_warp", "jitter")
    assert set(PAPER_DISTORTIONS) <= set(DISTORTIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_segment_changes_and_its_points_are_marked(kind):
    windows = waves()
    original = windows.clone()
    distorted, distortion_mask = distort(
        windows, 25, [kind], (0.1, 1.0), generator(), fraction=1
    )
    assert torch.equal(windows, original)
    assert distorted.shape == distortion_mask.shape == windows.shape
    assert torch.isfinite(distorted).all()
    # Marked points are one run in each window.
    edges = torch.nn.functional.pad(distortion_mask.int(), (1, 1)).diff(dim=1)
    assert (edges == 1).sum(1).max() == 1
    length = distortion_mask.sum(1)[distortion_mask.any(1)]
    assert length.min() >= 2
    assert length.max() <= 25
    assert distortion_mask.any(1).float().mean() > 0.7
    # A window that is not marked did not visibly change; others, only where marked.
    moved = (distorted - windows).abs()
    assert (moved * ~distortion_mask)[distortion_mask.any(1)].max() == 0
    assert (
        moved[~distortion_mask.any(1)].max(dim=1).values.le(0.05 * windows.std()).all()
    )


def test_lengths_are_in_periods_and_both_bounds_are_reached():
    _, distortion_mask = distort(
        waves(800), 20, ["uniform"], (0.25, 0.5), generator(), fraction=1
    )
    length = distortion_mask.sum(1)[distortion_mask.any(1)]
    assert (length.min(), length.max()) == (5, 10)


def test_segments_reach_both_ends_of_the_window():
    _, distortion_mask = distort(
        waves(800), 20, ["jitter"], (0.5, 1.0), generator(), fraction=1
    )
    assert distortion_mask[:, 0].any()
    assert distortion_mask[:, -1].any()


def test_a_period_longer_than_the_window_distorts_at_most_the_window():
    windows = waves(50, size=12)
    for kind in KINDS:
        distorted, _ = distort(
            windows, 900, [kind], (0.1, 1.0), generator(), fraction=1
        )
        assert torch.isfinite(distorted).all()


@pytest.mark.parametrize("fraction", [0.0, 0.5, 1.0])
def test_the_fraction_of_distorted_windows_is_kept(fraction):
    _, distortion_mask = distort(
        waves(1000), 25, ["jitter"], (0.5, 1.0), generator(), fraction=fraction
    )
    assert abs(distortion_mask.any(1).float().mean() - fraction) < 0.06


def test_all_named_kinds_are_used_and_no_other(monkeypatch):
    used = []
    for kind, function in list(DISTORTIONS.items()):

        def spy(*args, kind=kind, function=function):
            used.append(kind)
            return function(*args)

        monkeypatch.setitem(DISTORTIONS, kind, spy)
    distort(waves(), 25, ["flip", "swap"], (0.1, 1.0), generator())
    assert sorted(used) == ["flip", "swap"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_is_the_only_source_of_randomness(kind):
    windows = waves()
    state = torch.random.get_rng_state()
    one, _ = distort(windows, 25, [kind], (0.1, 1.0), generator(3))
    same, _ = distort(windows, 25, [kind], (0.1, 1.0), generator(3))
    other, _ = distort(windows, 25, [kind], (0.1, 1.0), generator(4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("kind", KINDS)
def test_constant_windows_have_no_anomaly_to_find(kind):
    windows = torch.full((32, 60), 3.0)
    distorted, distortion_mask = distort(
        windows, 20, [kind], (0.1, 1.0), generator(), fraction=1
    )
    assert not distortion_mask.any()
    torch.testing.assert_close(distorted, windows)


def test_uniform_is_one_value_of_the_segments_range():
    before, after = apply("uniform", waves())
    assert (np.ptp(after, axis=1) == 0).all()
    assert (before.min(1) <= after[:, 0]).all()
    assert (after[:, 0] <= before.max(1)).all()


def test_flip_turns_some_segments_in_time_and_the_others_in_value():
    before, after = apply("flip", waves())
    low, high = before.min(1, keepdims=True), before.max(1, keepdims=True)
    in_time = np.isclose(after, before[:, ::-1], atol=1e-6).all(1)
    in_value = np.isclose(after, low + high - before, atol=1e-6).all(1)
    assert (in_time ^ in_value).all()
    assert 0.2 < in_time.mean() < 0.8


def test_time_warp_starts_alike_and_runs_slower_or_faster():
    # Of a rising line, the slope is the speed.
    windows = torch.arange(200.0).repeat(64, 1)
    before, after = apply("time_warp", windows)
    np.testing.assert_allclose(after[:, 0], before[:, 0])
    speed = np.diff(after, axis=1)
    np.testing.assert_allclose(speed, speed[:, :1].repeat(LENGTH - 1, 1), rtol=1e-3)
    factor = np.maximum(speed[:, 0], 1 / speed[:, 0])
    assert (factor >= 1.25 - 1e-3).all()
    assert (factor <= 4 + 1e-3).all()
    assert 0.2 < (speed[:, 0] < 1).mean() < 0.8


def test_jitter_adds_noise_of_a_twentieth_of_the_windows_range():
    windows = waves(2000)
    before, after = apply("jitter", windows)
    spread = np.ptp(windows.numpy(), axis=1)
    noise = (after - before) / spread[:, None]
    assert abs(noise.mean()) < 2e-3
    assert abs(noise.std() - 0.05) < 1e-3


def test_amplitude_keeps_the_mean_and_scales_the_deviations_from_it():
    before, after = apply("amplitude", waves())
    mean = before.mean(1, keepdims=True)
    np.testing.assert_allclose(after.mean(1, keepdims=True), mean, atol=1e-5)
    factor = (after - mean).std(1) / (before - mean).std(1)
    assert (((factor >= 0.2) & (factor <= 0.8)) | (factor >= 1.25)).all()
    assert factor.max() <= 2.25


def test_bump_is_an_arch_that_joins_at_its_ends():
    windows = waves()
    before, after = apply("bump", windows)
    arch = (after - before) / np.ptp(windows.numpy(), axis=1)[:, None]
    height = np.abs(arch).max(1)
    assert (height <= 0.3).all()
    assert (np.abs(arch[:, [0, -1]]).max(1) <= 0.11 * height + 1e-6).all()
    np.testing.assert_allclose(arch, arch[:, ::-1], atol=1e-5)
    assert (np.sign(arch[:, 1:-1]) == np.sign(arch[:, [LENGTH // 2]])).all()


def test_swap_keeps_the_mean_and_takes_the_centred_segment_of_another_window():
    before, after = apply("swap", waves())
    np.testing.assert_allclose(after.mean(1), before.mean(1), atol=1e-5)
    centred = before - before.mean(1, keepdims=True)
    for row in after - after.mean(1, keepdims=True):
        assert np.isclose(centred, row, atol=1e-4).all(1).any()


def test_smooth_has_less_noise_and_the_same_course():
    rough = torch.randn(64, 80, generator=generator())
    before, after = apply("smooth", rough)
    assert (np.diff(after, axis=1).std(1) < np.diff(before, axis=1).std(1)).all()
    np.testing.assert_allclose(
        after[:, 1:-1],
        (before[:, :-2] + before[:, 1:-1] + before[:, 2:]) / 3,
        atol=1e-5,
    )


def test_by_default_nine_windows_in_ten_are_distorted():
    _, distortion_mask = distort(waves(2000), 25, ["jitter"], (0.5, 1.0), generator())
    assert abs(distortion_mask.any(1).float().mean() - 0.9) < 0.03


def test_uniform_values_come_from_the_whole_range():
    before, after = apply("uniform", waves(500))
    height = (after[:, 0] - before.min(1)) / np.ptp(before, axis=1)
    assert height.min() < 0.05
    assert height.max() > 0.95
    assert abs(height.mean() - 0.5) < 0.05


def test_time_warp_uses_all_factors_from_one_and_a_quarter_to_four():
    _, after = apply("time_warp", torch.arange(200.0).repeat(500, 1))
    speed = after[:, 1] - after[:, 0]
    for factor in (speed[speed > 1], 1 / speed[speed < 1]):
        assert factor.min() < 1.35
        assert factor.max() > 3.85


def test_time_warp_mirrors_a_window_at_its_end():
    windows = torch.arange(30.0).repeat(64, 1)  # each value is its own position
    _, after = apply("time_warp", windows)
    speed = (after[:, 1] - after[:, 0])[:, None]
    position = START + speed * np.arange(LENGTH)
    mirrored = np.where(position > 29, 2 * 29 - position, position).clip(0, 29)
    assert (position > 29).any()
    np.testing.assert_allclose(after, mirrored, atol=1e-3)


def test_amplitude_is_made_smaller_as_often_as_larger():
    before, after = apply("amplitude", waves(500))
    factor = after.std(1) / before.std(1)
    assert 0.4 < (factor < 1).mean() < 0.6
    smaller, larger = factor[factor < 1], factor[factor > 1]
    assert smaller.min() < 0.25
    assert smaller.max() > 0.75
    assert larger.min() < 1.3
    assert larger.max() > 2.2


def test_bumps_go_both_ways_up_to_three_tenths_of_the_range():
    windows = waves(500)
    before, after = apply("bump", windows)
    arch = (after - before) / np.ptp(windows.numpy(), axis=1)[:, None]
    assert arch.max() > 0.28
    assert arch.min() < -0.28
    # Half a sine: in the middle of the segment it is at its height.
    middle = arch[:, LENGTH // 2]
    expected = middle[:, None] * np.sin(np.pi * (np.arange(LENGTH) + 0.5) / LENGTH)
    np.testing.assert_allclose(arch, expected, atol=0.01)


def test_smooth_reaches_a_tenth_of_the_segment_to_each_side():
    rough = torch.randn(8, 80, generator=generator())
    start, length = torch.full((8, 1), 20), torch.full((8, 1), 39)
    segment = Segment(start, length, torch.arange(80) - start)
    after = DISTORTIONS["smooth"](rough, segment, generator())
    np.testing.assert_allclose(after[:, 30], rough[:, 27:34].mean(1), atol=1e-6)
    ends = rough[:, [0, 0, 0, 0, 1, 2, 3]].mean(1)  # the border value is repeated
    np.testing.assert_allclose(after[:, 0], ends, atol=1e-6)


def test_a_single_kind_that_is_no_sequence_is_an_error():
    with pytest.raises(ValueError, match="a sequence of names, got 'flip'"):
        distort(waves(), 25, "flip", (0.1, 1.0), generator())
