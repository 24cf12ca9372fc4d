"""The search of the nearest cells, against brute force over their members."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from skcoad.neighbors._inverted_file import ExclusionZone, InvertedFile


def nearest_outside(
    queries: Tensor, points: Tensor, at: Tensor, zone: ExclusionZone
) -> list[int]:
    """First of the nearest points outside of the exclusion zone, one by one."""
    found = []
    for query, where in zip(queries.double(), at, strict=True):
        distances = (points.double() - query).square().sum(1)
        distances[zone.excludes(torch.arange(len(points)) - where)] = np.inf
        found.append(int(distances.argmin()))
    return found


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 12),
    st.booleans(),
)
def test_of_one_cell_the_first_of_the_nearest_is_found(
    seed, n_different, width, past_only
):
    generator = torch.Generator().manual_seed(seed)
    different = torch.randn(n_different, 5, generator=generator)
    # A series that stands still for long: most points equal the one before.
    which = torch.randint(n_different, (60,), generator=generator)
    which = which[torch.randint(60, (60,), generator=generator).sort().values]
    points = different[which]
    at = torch.randint(20, 40, (25,), generator=generator)
    zone = ExclusionZone(width, past_only)
    queries = points[at] + 0.1 * torch.randn(25, 5, generator=generator)
    queries[::2] = points[at[::2]]
    file = InvertedFile(torch.arange(60), points, points, generator)
    found = file.search(queries, at, zone)[:, 0].tolist()
    assert found == nearest_outside(queries, points, at, zone)


@pytest.mark.parametrize("past_only", [False, True])
def test_a_repeated_point_is_found_where_those_before_it_are_excluded(past_only):
    points = torch.ones(50, 3)
    file = InvertedFile(torch.arange(50), points, points, torch.Generator())
    at = torch.tensor([10, 30])
    found = file.search(points[at], at, ExclusionZone(15, past_only))[:, 0]
    assert found.tolist() == ([0, 0] if past_only else [25, 0])
