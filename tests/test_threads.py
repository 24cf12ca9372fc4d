"""What is computed on several threads is what one thread computes."""

import threading
import time

import numpy as np
import pytest
import torch

from skcoad import CoADDetector, NeighborsDetector
from skcoad._progress import advance, progress
from skcoad._threads import in_threads, one_thread


@pytest.fixture
def threads():
    """Set how many threads torch may use."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_items", [0, 1, 2, 7])
@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_results_are_in_the_order_of_the_items(threads, n_threads, n_items):
    threads(n_threads)

    def late(i):
        time.sleep(0.001 * (n_items - i))
        return -i

    assert list(in_threads(late, range(n_items))) == [-i for i in range(n_items)]
    assert torch.get_num_threads() == n_threads


def test_threads_are_shared_among_the_items(threads):
    threads(6)
    seen = list(in_threads(lambda _: torch.get_num_threads(), range(3)))
    assert seen == [2, 2, 2]
    seen = list(in_threads(lambda _: torch.get_num_threads(), range(20)))
    assert seen == [1] * 20
    nested = in_threads(
        lambda _: set(in_threads(lambda _: threading.get_ident(), range(50))), range(2)
    )
    assert all(1 <= len(identities) <= 3 for identities in nested)


def test_a_single_item_is_computed_by_the_caller(threads):
    threads(2)
    assert list(in_threads(lambda _: threading.get_ident(), [0])) == [
        threading.get_ident()
    ]


def test_few_more_items_are_computed_than_were_asked_for(threads):
    threads(2)
    started = []
    results = in_threads(started.append, range(100))
    next(results)
    results.close()
    assert len(started) <= 4
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_ends_the_computation(threads, error):
    threads(2)
    started = []

    def fail(i):
        started.append(i)
        if i == 3:
            raise error(i)

    with pytest.raises(error, match="3"):
        list(in_threads(fail, range(100)))
    assert len(started) <= 8
    assert torch.get_num_threads() == 2


def test_values_are_counted_in_the_bar_of_the_caller(threads, capsys, monkeypatch):
    threads(2)
    monkeypatch.setattr("skcoad._progress.DELAY", 0)
    with progress("work", 20, shown=True):
        list(in_threads(lambda _: advance(2), range(10)))
    assert "100%" in capsys.readouterr().err


def test_one_thread_is_for_a_while(threads):
    threads(3)
    seen = []

    @one_thread()
    def fail():
        seen.append(torch.get_num_threads())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == [1]
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("n_channels", [1, 3])
@pytest.mark.parametrize(
    "make",
    [
        NeighborsDetector,
        lambda: NeighborsDetector(references="all"),
        lambda: CoADDetector(max_steps=3, random_state=0),
    ],
)
def test_scores_do_not_depend_on_the_number_of_threads(threads, wave, make, n_channels):
    X = wave(600, n_channels)
    X[40:50, -1] = np.nan
    found = []
    for n_threads in (1, 2, 5):
        threads(n_threads)
        detector = make().fit(X[:300])
        found.append((detector.decision_scores_, detector.decision_function(X)))
    for other in found[1:]:
        np.testing.assert_allclose(other[0], found[0][0], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(other[1], found[0][1], rtol=1e-5, atol=1e-6)
