"""Encoders of patches: dilated convolutions, or the paper's bidirectional GRU.

Shapes stand at the end of the lines: B windows, N patches, H features.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["ENCODERS", "ConvEncoder", "GRUEncoder"]


class ConvEncoder(nn.Module):
    """Patches to features by dilated convolutions, all patches at once.

    Replaces the paper's GRU on a CPU: one matrix product per layer instead of one per
    patch.

    Parameters
    ----------
    n_inputs : int
        Values of a patch.
    hidden_size : int
        Features of a patch, H.
    n_layers : int
        Residual layers; the dilation doubles from layer to layer.
    """

    def __init__(self, n_inputs: int, hidden_size: int, n_layers: int) -> None:
        super().__init__()
        self.embed = nn.Linear(n_inputs, hidden_size)
        self.layers = nn.ModuleList(
            DilatedLayer(hidden_size, dilation=2**i) for i in range(n_layers)
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Encode ``(B, N, n_inputs)`` to ``(B, N, H)``."""
        # Patches first: neighbours are then whole contiguous slices.
        x: Tensor = self.embed(patches).transpose(0, 1)  # N, B, H
        for layer in self.layers:
            x = layer(x)
        return x.transpose(0, 1)


class DilatedLayer(nn.Module):
    """A patch and its two neighbours at a distance, through a residual perceptron."""

    def __init__(self, hidden_size: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(hidden_size)
        self.gather = nn.Linear(3 * hidden_size, hidden_size)
        self.update = nn.Linear(hidden_size, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, B, H)`` to the same shape."""
        n = len(x)
        d = min(self.dilation, n)  # all that is farther away is padding as well
        padded = F.pad(self.norm(x), (0, 0, 0, 0, d, d))  # N + 2d, B, H
        neighbours = torch.cat([padded[k : k + n] for k in (0, d, 2 * d)], dim=-1)
        update: Tensor = self.update(F.relu(self.gather(neighbours)))
        return x + update


class GRUEncoder(nn.Module):
    """Patches to features by a bidirectional GRU, as in the paper.

    Parameters
    ----------
    n_inputs : int
        Values of a patch.
    hidden_size : int
        Features of a patch, H: half from each direction.
    n_layers : int
        Stacked layers.
    """

    def __init__(self, n_inputs: int, hidden_size: int, n_layers: int) -> None:
        super().__init__()
        self.embed = nn.Linear(n_inputs, hidden_size)
        self.gru = nn.GRU(
            hidden_size,
            hidden_size // 2,
            num_layers=n_layers,
            bidirectional=True,
            batch_first=True,
        )

    def forward(self, patches: Tensor) -> Tensor:
        """Encode ``(B, N, n_inputs)`` to ``(B, N, H)``."""
        features: Tensor = self.gru(self.embed(patches))[0]
        return features


ENCODERS: dict[str, type[ConvEncoder | GRUEncoder]] = {
    "conv": ConvEncoder,
    "gru": GRUEncoder,
}
