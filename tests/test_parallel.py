import os
import signal
from dataclasses import dataclass

import pytest
from joblib import parallel_config

from skcoad._parallel import run_tasks


@dataclass
class Square:
    number: int
    deadly: bool = False

    def run(self):
        if self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.number**2

    def failure(self, error):
        return f"{self.number}: {type(error).__name__}"


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_every_task_gives_its_result(n_jobs):
    results = run_tasks(Square, range(20), n_jobs)
    assert sorted(results) == [n**2 for n in range(20)]


def test_tasks_are_made_when_they_are_needed():
    made = []

    def make(number):
        made.append(number)
        return Square(number)

    results = run_tasks(make, range(10**9), n_jobs=1)
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(made) <= 4
    results.close()


def test_what_making_a_task_raises_ends_the_run():
    def make(number):
        raise KeyError(number)

    with pytest.raises(KeyError, match="3"):
        list(run_tasks(make, [3], n_jobs=1))


@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
def test_tasks_that_kill_their_process_have_failed_and_no_other():
    def make(number):
        return Square(number, deadly=number in (3, 7))

    with parallel_config(n_jobs=2):
        results = list(run_tasks(make, range(12), n_jobs=None))
    failed = [result for result in results if isinstance(result, str)]
    assert sorted(failed) == ["3: TerminatedWorkerError", "7: TerminatedWorkerError"]
    squares = [result for result in results if result not in failed]
    assert sorted(squares) == [n**2 for n in range(12) if n not in (3, 7)]
