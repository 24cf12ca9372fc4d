"""What each component of a score means, in words."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["WORDS", "Words"]


class Words(NamedTuple):
    """What is said of a component.

    Attributes
    ----------
    label : str
        In figures and bars.
    beyond, rare : str
        What is so if it is beyond anything in the training series, or just rare.
    behaviour : str or (str, str)
        What a channel did; where the sign matters, above and below what was expected.
    """

    label: str
    beyond: str
    rare: str
    behaviour: str | tuple[str, str]


WORDS = {
    "value_distance": Words(
        "values unlike training",
        "values unlike any in training",
        "values rare in training",
        "had values unlike those of training",
    ),
    "value_shape": Words(
        "shape unlike training",
        "shape unlike any in training",
        "shape rare in training",
        "had a shape unlike those of training",
    ),
    "difference_distance": Words(
        "changes unlike training",
        "changes between timestamps unlike any in training",
        "changes between timestamps rare in training",
        "changed from one timestamp to the next as it did not in training",
    ),
    "difference_shape": Words(
        "pattern of changes unlike training",
        "pattern of changes unlike any in training",
        "pattern of changes rare in training",
        "had a pattern of changes unlike those of training",
    ),
    "value": Words(
        "single values",
        "single values unlike any in training",
        "single values rare in training",
        ("was unusually high", "was unusually low"),
    ),
    "level": Words(
        "level",
        "level unlike any in training",
        "level rare in training",
        ("was unusually high for long", "was unusually low for long"),
    ),
    "difference": Words(
        "single steps",
        "a step unlike any in training",
        "a step rare in training",
        ("jumped up", "dropped"),
    ),
    "volatility": Words(
        "too calm or too wild",
        "calmer or wilder than anything in training",
        "calmer or wilder than most of training",
        ("was wilder than usual", "was calmer than usual"),
    ),
    "residual": Words(
        "apart from the other channels",
        "apart from the other channels as never in training",
        "apart from the other channels as rarely in training",
        "did not go with the other channels",
    ),
    "residual_level": Words(
        "level apart from the others",
        "its level apart from the other channels as never in training",
        "its level apart from the other channels as rarely in training",
        "did not go with the other channels for long",
    ),
    "probability": Words(
        "classifier",
        "more like a distortion than anything in training",
        "more like a distortion than most of training",
        "looked distorted",
    ),
    "error": Words(
        "reconstruction error",
        "farther from the expected values than anything in training",
        "farther from the expected values than most of training",
        "was far from the expected values",
    ),
}
