"""What the names of a series say about its channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skcoad.datasets import Series
from skcoad.datasets._series import known_names, with_columns

__all__ = ["align_channels"]


def align_channels(
    names: Sequence[str], recordings: Sequence[Series]
) -> tuple[list[Series], tuple[str, ...] | None]:
    """Give all recordings the channels of the first that has names, in its order.

    Parameters
    ----------
    names : sequence of str
        Of the recordings, for errors.
    recordings : sequence of Series
        In any order of their channels.

    Returns
    -------
    aligned : list of Series
        With the same order of channels.
    channels : tuple of str or None
        Their names; None if no recording has any.

    Raises
    ------
    ValueError
        If two recordings have different channels.
    """
    known = [known_names(recording) for recording in recordings]
    first = next((i for i, channels in enumerate(known) if channels), 0)
    channels = known[first] or recordings[first].channel_names
    aligned = []
    for name, recording, own in zip(names, recordings, known, strict=True):
        given = recording.channel_names
        if own is None and len(given) == len(channels) == 1:  # there is but one order
            aligned.append(replace(recording, channel_names=channels))
        elif sorted(given) != sorted(channels):
            raise ValueError(
                f"recording {name} has the channels {', '.join(given)}, and recording "
                f"{names[first]} has {', '.join(channels)}; recordings are joined by "
                "the names of their channels"
            )
        else:
            aligned.append(
                recording if given == channels else with_columns(recording, channels)
            )
    return aligned, known[first]
