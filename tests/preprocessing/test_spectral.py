import naive
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from skcoad import FFTTransformer, SlidingWindowTransformer, STFTTransformer
from skcoad.preprocessing._spectral import stft_basis

TAPERS = ["boxcar", "hann", "hamming", "blackman"]


def coefficients(parts):
    """Complex coefficients from columns of real, then imaginary parts."""
    real, imaginary = np.split(parts, 2, axis=-1)
    return real + 1j * imaginary


@given(st.integers(2, 9), st.integers(0, 30), st.sampled_from(TAPERS))
def test_stft_equals_the_reference_implementation(n_fft, more, taper):
    n = n_fft // 2 + 1 + more
    X = np.random.default_rng(0).normal(size=(n, 1))
    ours = STFTTransformer(n_fft=n_fft, window=taper).fit_transform(X)
    expected = naive.stft(X[:, 0], signal.get_window(taper, n_fft))
    np.testing.assert_allclose(coefficients(ours), expected, atol=1e-12)


@pytest.mark.parametrize("n_fft", [2, 3, 4, 7, 16])
@pytest.mark.parametrize("taper", TAPERS)
def test_stft_equals_that_of_torch(n_fft, taper):
    X = np.random.default_rng(0).normal(size=(50, 1))
    ours = STFTTransformer(n_fft=n_fft, window=taper).fit_transform(X)
    theirs = torch.stft(
        torch.from_numpy(X[:, 0]),
        n_fft,
        hop_length=1,
        window=torch.from_numpy(signal.get_window(taper, n_fft)),
        center=True,
        pad_mode="reflect",
        return_complex=True,
    )
    np.testing.assert_allclose(
        coefficients(ours), theirs.numpy().T[: len(X)], atol=1e-12
    )


@pytest.mark.parametrize("n_fft", [4, 8])
def test_stft_equals_that_of_scipy_inside(n_fft):
    X = np.random.default_rng(0).normal(size=(50, 1))
    ours = coefficients(STFTTransformer(n_fft=n_fft).fit_transform(X))
    transform = signal.ShortTimeFFT(
        signal.get_window("hann", n_fft), hop=1, fs=1, phase_shift=None
    )
    theirs = transform.stft(X[:, 0], p0=0, p1=len(X)).T
    inside = slice(n_fft, -n_fft)
    np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-12)


def test_basis_has_the_real_parts_before_the_imaginary_ones():
    x = np.random.default_rng(0).normal(size=6)
    expected = np.fft.rfft(x)
    parts = x @ stft_basis(6, "boxcar")
    np.testing.assert_allclose(parts, [*expected.real, *expected.imag], atol=1e-12)


def test_stft_of_a_channel_does_not_depend_on_the_others():
    X = np.random.default_rng(0).normal(size=(30, 3))
    together = STFTTransformer().fit_transform(X)
    alone = [STFTTransformer().fit_transform(X[:, [i]]) for i in range(3)]
    np.testing.assert_allclose(together, np.hstack(alone), atol=1e-12)


@pytest.mark.parametrize("transformer", [STFTTransformer, FFTTransformer])
def test_magnitude_and_power_are_those_of_the_coefficients(transformer):
    X = np.random.default_rng(0).normal(size=(30, 8))
    parts = transformer(output="complex").fit_transform(X)
    names = transformer(output="complex").fit(X).get_feature_names_out()
    real = parts[:, [name.endswith("_real") for name in names]]
    imaginary = parts[:, [name.endswith("_imag") for name in names]]
    magnitude = np.hypot(real, imaginary)
    np.testing.assert_allclose(
        transformer(output="magnitude").fit_transform(X), magnitude, atol=1e-12
    )
    np.testing.assert_allclose(
        transformer(output="power").fit_transform(X), magnitude**2, atol=1e-12
    )


@given(st.integers(1, 9), st.integers(1, 3))
def test_fft_of_window_rows_equals_the_reference_implementation(
    window_size, n_channels
):
    X = np.random.default_rng(0).normal(size=(12, n_channels))
    rows = SlidingWindowTransformer(window_size=window_size).fit_transform(X)
    ours = FFTTransformer(n_channels=n_channels, output="complex").fit_transform(rows)
    for t in range(len(X)):
        window = naive.row_of_timestamp(X, t, window_size, "center", "edge")
        expected = []
        for channel in np.transpose(window):
            spectrum = np.array(naive.dft(channel))
            expected += [*spectrum.real, *spectrum.imag]
        np.testing.assert_allclose(ours[t], expected, atol=1e-12)


@pytest.mark.parametrize(
    ("transformer", "expected"),
    [
        (
            STFTTransformer(n_fft=2),
            [
                f"{channel}_stft{bin_}_{part}"
                for channel in ("a", "b")
                for part in ("real", "imag")
                for bin_ in (0, 1)
            ],
        ),
        (
            STFTTransformer(n_fft=2, output="power"),
            ["a_stft0", "a_stft1", "b_stft0", "b_stft1"],
        ),
        (FFTTransformer(), ["channel0_fft0", "channel0_fft1"]),
        (FFTTransformer(n_channels=2), ["channel0_fft0", "channel1_fft0"]),
    ],
)
def test_pandas_output_has_one_named_column_for_each_feature(transformer, expected):
    values = np.random.default_rng(0).normal(size=(9, 2))
    frame = pd.DataFrame(values, columns=["a", "b"])
    table = transformer.set_output(transform="pandas").fit_transform(frame)
    assert table.columns.tolist() == expected
    assert table.columns.tolist() == transformer.get_feature_names_out().tolist()


@pytest.mark.parametrize(
    ("transformer", "named"),
    [
        (STFTTransformer(n_fft=1), "n_fft"),
        (STFTTransformer(n_fft=4.0), "n_fft"),
        (STFTTransformer(output="phase"), "output"),
        (STFTTransformer(window="no such"), "no such|Unknown window"),
        (FFTTransformer(n_channels=0), "n_channels"),
        (FFTTransformer(output="phase"), "output"),
        (FFTTransformer(n_channels=3), "8 columns .* n_channels=3"),
    ],
)
def test_bad_parameters_are_errors_that_name_them(transformer, named):
    with pytest.raises(ValueError, match=named):
        transformer.fit(np.zeros((9, 8)))


def test_a_series_too_short_to_be_mirrored_is_an_error():
    with pytest.raises(ValueError, match="n_fft=8 needs more than 4 timestamps, got 4"):
        STFTTransformer(n_fft=8).fit_transform(np.zeros((4, 1)))
