"""The network of CoAD: two branches that classify, one that reconstructs.

Read :meth:`CoADNetwork.forward` next to section 4 of the paper (Tang et al., KDD 2026);
the symbols are the paper's. Shapes stand at the end of the lines:

====  ==================================================
B     windows in a batch
T     points in a window
P     points in a patch
N     patches in a window, ``T / P``
V     views of a window: itself, and its residual to the reference
H     hidden size
====  ==================================================
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from skcoad._typing import Branches, Encoder, Fusion, Masking
from skcoad.model._encoders import ENCODERS
from skcoad.preprocessing import stft_basis

__all__ = ["CoADNetwork", "CoADOutput", "initialise"]

N_FFT = 4  # of the frequency branch (Eq. 1)


class CoADOutput(NamedTuple):
    """Output of the network for a batch of windows.

    Attributes
    ----------
    direct : Tensor of shape (B, N)
        Probability of each patch to be anomalous, A (Eq. 4).
    residual : Tensor of shape (B, N)
        The same by comparison with the reconstruction, A_r (Eq. 8).
    mask : Tensor of shape (B, N)
        How much of each patch was hidden from the reconstruction (Eq. 5).
    reconstruction : Tensor of shape (B, T)
        The window as it would be if it were normal (Eq. 6).
    """

    direct: Tensor
    residual: Tensor
    mask: Tensor
    reconstruction: Tensor

    @property
    def probability(self) -> Tensor:
        """Final probability of each patch, A_c (Eq. 9), shape (B, N)."""
        return (self.direct + self.residual) / 2


class Head(nn.Module):
    """Features of a patch to its logit."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(hidden_size, hidden_size)
        self.logit = nn.Linear(hidden_size, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(B, N, H)`` to ``(B, N)``."""
        logit: Tensor = self.logit(F.selu(self.hidden(features)))
        return logit[..., 0]


class CoADNetwork(nn.Module):
    """Classifier and reconstructor of CoAD, each guiding the other.

    Parameters
    ----------
    patch_size : int
        Points in a patch, P.
    hidden_size : int
        Features of a patch, H.
    n_layers : int
        Layers of each encoder.
    encoder : {"conv", "gru"}
        What makes features of patches.
    branches : {"both", "time", "frequency"}
        What the classifier looks at.
    fusion : {"max", "mean"}
        How the decisions of the branches become one (Eq. 4).
    masking : {"soft", "hard", "random", "grating"}
        What is hidden from the reconstruction: each patch by its probability (Eq. 5),
        the patches that are more likely anomalous than not, or, without guidance, a
        random half of the patches or every other one, and then the rest.
    with_reference : bool
        Whether windows come with a nearest normal reference. Both branches then also
        see the residual to it, and the reconstruction starts from it.

    Notes
    -----
    Parameters are not initialised to anything useful; see :func:`initialise`.
    """

    def __init__(
        self,
        patch_size: int,
        hidden_size: int,
        n_layers: int,
        encoder: Encoder,
        branches: Branches,
        fusion: Fusion,
        masking: Masking,
        with_reference: bool,
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.hidden_size = hidden_size
        self.fusion = fusion
        self.masking = masking
        self.with_reference = with_reference
        n_views = 2 if with_reference else 1
        n_inputs = {
            "time": n_views * patch_size,
            "frequency": n_views * patch_size * 2 * (N_FFT // 2 + 1),
        }
        self.branches = list(n_inputs) if branches == "both" else [branches]
        make_encoder = ENCODERS[encoder]
        self.encoders = nn.ModuleDict(
            {
                name: make_encoder(n_inputs[name], hidden_size, n_layers)
                for name in self.branches
            }
        )
        self.heads = nn.ModuleDict({name: Head(hidden_size) for name in self.branches})
        self.residual_head = Head(hidden_size)
        self.mask_embedding = nn.Parameter(torch.empty(1, hidden_size))  # e_mask
        self.patch_embedding = nn.Linear(patch_size, hidden_size)  # W_m
        if with_reference:
            self.reference_embedding = nn.Linear(patch_size, hidden_size)
        self.decoder = make_encoder(hidden_size, hidden_size, n_layers)
        self.to_points = nn.Linear(hidden_size, patch_size)
        # Four values are too few to taper, and a box keeps all they hold. Not a
        # buffer: those are lost when the network is made on the meta device.
        self.basis = torch.tensor(
            stft_basis(N_FFT, "boxcar"), dtype=torch.float32, device="cpu"
        )
        self.float()  # whatever torch's default dtype is

    def forward(
        self,
        x: Tensor,
        reference: Tensor | None,
        missing: Tensor | None = None,
        pattern: Tensor | None = None,
    ) -> CoADOutput:
        """Classify the patches of windows and reconstruct the windows.

        Parameters
        ----------
        x : Tensor of shape (B, T)
            Windows; T is a multiple of the patch size.
        reference : Tensor of shape (B, T) or None
            Their normal references, for a network that was made for them.
        missing : Tensor of shape (B, T) or None
            Which points are missing, bool. Patches are hidden from the reconstruction
            at least by the fraction of them that is missing.
        pattern : Tensor of shape (N,) or None
            For ``masking="random"``: 1 for the patches hidden first. Every other
            patch by default.

        Returns
        -------
        CoADOutput
        """
        missing_part = 0.0 if missing is None else self.missing_fraction(missing)
        if missing is not None and reference is not None:
            x = torch.where(missing, reference, x)
        features = self.encode(x, reference)
        direct = self.fuse(  # Eq. 3, 4
            [self.heads[name](features[name]) for name in self.branches]
        )  # B, N
        if self.masking in ("soft", "hard"):
            guide = direct if self.masking == "soft" else (direct > 0.5).to(x)
            mask = missing_part + (1 - missing_part) * guide
            reconstruction = self.reconstruct(x, reference, mask)
        else:
            if pattern is None:
                pattern = torch.arange(direct.shape[1], device=x.device) % 2
            first = pattern.to(direct).expand_as(direct)
            halves = [
                self.reconstruct(x, reference, missing_part + (1 - missing_part) * half)
                for half in (first, 1 - first)
            ]
            mask = torch.ones_like(direct)  # each patch was hidden once
            hidden = first.repeat_interleave(self.patch_size, dim=1)  # B, T
            reconstruction = hidden * halves[0] + (1 - hidden) * halves[1]
        normal = self.encode(reconstruction, reference)
        residual = self.fuse(  # Eq. 7, 8
            [self.residual_head(features[b] - normal[b]) for b in self.branches]
        )  # B, N
        return CoADOutput(direct, residual, mask, reconstruction)

    def missing_fraction(self, missing: Tensor) -> Tensor:
        """Fraction of each patch that is missing, ``(B, T)`` to ``(B, N)``."""
        return missing.view(missing.shape[0], -1, self.patch_size).float().mean(-1)

    def encode(self, x: Tensor, reference: Tensor | None) -> dict[str, Tensor]:
        """Features ``(B, N, H)`` of windows ``(B, T)``, one entry a branch."""
        views = x[:, None] if reference is None else torch.stack([x, x - reference], 1)
        inputs = {"time": self.patches(views[..., None])}  # Eq. 3
        if "frequency" in self.branches:
            inputs["frequency"] = self.patches(self.stft(views))  # Eq. 1, 2
        return {name: self.encoders[name](inputs[name]) for name in self.branches}

    def stft(self, x: Tensor) -> Tensor:
        """Short-time Fourier transform with hop 1 (Eq. 1), ``(..., T, 2 * bins)``."""
        before = N_FFT // 2
        padded = F.pad(x, (before, N_FFT - 1 - before), mode="reflect")
        return padded.unfold(-1, N_FFT, 1) @ self.basis.to(x)

    def patches(self, views: Tensor) -> Tensor:
        """Cut ``(B, V, T, values)`` into patches, ``(B, N, V * P * values)``."""
        b, v, t, values = views.shape
        cut = views.reshape(b, v, t // self.patch_size, self.patch_size * values)
        return cut.transpose(1, 2).flatten(2)

    def fuse(self, logits: list[Tensor]) -> Tensor:
        """Probabilities of the branches to one (Eq. 4)."""
        probability = torch.sigmoid(torch.stack(logits))
        return probability.amax(0) if self.fusion == "max" else probability.mean(0)

    def reconstruct(self, x: Tensor, reference: Tensor | None, mask: Tensor) -> Tensor:
        """Reconstruct windows of which each patch is masked by its value in `mask`."""
        mask = mask[..., None]  # B, N, 1
        patches = x.view(x.shape[0], -1, self.patch_size)  # B, N, P
        embedding = (  # Eq. 5
            mask * self.mask_embedding + (1 - mask) * self.patch_embedding(patches)
        )  # B, N, H
        if reference is not None:
            embedding = embedding + self.reference_embedding(
                reference.view(x.shape[0], -1, self.patch_size)
            )
        points: Tensor = self.to_points(self.decoder(embedding)).flatten(1)  # Eq. 6
        return points if reference is None else reference + points


def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """Draw all parameters from one generator, in place.

    Matrices uniformly within ``1 / sqrt(n_inputs)``, gains one, biases zero. The
    global generator of torch is not touched, so detectors that are fitted in threads
    side by side do not influence each other.

    Parameters
    ----------
    network : nn.Module
        On the CPU.
    generator : torch.Generator
        On the CPU.
    """
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim > 1:
                bound = 1 / math.sqrt(parameter.shape[-1])
                parameter.uniform_(-bound, bound, generator=generator)
            else:
                parameter.zero_()
        for module in network.modules():
            if isinstance(module, nn.LayerNorm):
                module.weight.fill_(1.0)
