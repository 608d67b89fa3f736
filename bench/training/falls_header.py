"""device/core/fall_weights.h from a trained network."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from bench.training.falls_train import Network


def folded(layer: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weights [kernel, in, out] and bias [out] of a layer with its normalisation taken in."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weights = (layer.weight * scale[:, None, None]).permute(2, 1, 0)
    return weights, norm.bias - norm.running_mean * scale


def number(x: float) -> str:
    """A C float; seven digits give back every float's first six."""
    digits = f"{x:.7g}"
    return digits + ("f" if "." in digits or "e" in digits else ".0f")


def braces(values: Tensor) -> str:
    if values.dim() == 1:
        return "{" + ", ".join(map(number, values.tolist())) + "}"
    return "{\n" + ",\n".join(braces(part) for part in values) + "}"


def table(name: str, values: Tensor) -> str:
    size = "".join(f"[{n}]" for n in values.shape)
    return f"static const float RG_FALL_{name}{size} = {braces(values)};\n"


@torch.no_grad()
def header(net: Network, limits: tuple[float, float], provenance: Iterable[str]) -> str:
    """All of fall_weights.h. limits: of the log odds of falling, of having fallen."""
    first, first_bias = folded(net.first, net.norm)
    layers = [folded(layer, norm) for layer, norm in zip(net.layers, net.norms, strict=True)]
    made = "".join(f" * {line}\n" for line in provenance)
    return (
        "/* fall_weights.h: written by bench/training/falls_network.py, not by hand.\n"
        f"{made} */\n"
        "#ifndef RG_FALL_WEIGHTS_H\n#define RG_FALL_WEIGHTS_H\n\n"
        + table("LIMITS", torch.tensor(limits))
        + table("FIRST_WEIGHTS", first)
        + table("FIRST_BIAS", first_bias)
        + table("WEIGHTS", torch.stack([w for w, _ in layers]))
        + table("BIAS", torch.stack([b for _, b in layers]))
        + table("LAST_WEIGHTS", net.last.weight[:, :, 0])
        + table("LAST_BIAS", net.last.bias)
        + "\n#endif\n"
    )
