"""The causal convolution of device/core/convolution.h in PyTorch, and its tables in C."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST, KERNEL = 5, 3  # frames of the first layer, of each further one


class Convolution(nn.Module):
    """Frames [B, channels, F] to outputs [B, outputs, F], none of which sees a later frame."""

    def __init__(
        self, channels: int, width: int, dilations: Sequence[int], outputs: int, dropped: float
    ) -> None:
        """`dilations`: frames that a layer's three are apart; `dropped`: share between layers."""
        super().__init__()
        self.first = nn.Conv1d(channels, width, FIRST, bias=False)
        self.norm = nn.BatchNorm1d(width)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, KERNEL, dilation=d, bias=False) for d in dilations
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in dilations)
        self.last = nn.Conv1d(width, outputs, 1)
        self.dilations, self.dropped = tuple(dilations), dropped

    def forward(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.first(functional.pad(x, (FIRST - 1, 0)))))
        for layer, norm, d in zip(self.layers, self.norms, self.dilations, strict=True):
            more = functional.relu(norm(layer(functional.pad(x, ((KERNEL - 1) * d, 0)))))
            x = x + functional.dropout1d(more, self.dropped, self.training)
        return self.last(x)


def fit(
    net: Convolution, loss: Callable[[], Tensor], steps: int, rate: float, decay: float
) -> None:
    """So many steps of AdamW down what `loss` gives of a batch; `rate` falls to 0 by a cosine."""
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    total, begun, often = 0.0, time.monotonic(), max(steps // 4, 1)
    for step in range(steps):
        for part in optimiser.param_groups:
            part["lr"] = rate * 0.5 * (1 + np.cos(np.pi * step / steps))
        value = loss()
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        total += value.item()
        if (step + 1) % often == 0:
            took = time.monotonic() - begun
            print(f"step {step + 1}: loss {total / often:.3f}, {took:.0f} s", flush=True)
            total = 0.0
    net.eval()


def tables(nets: Sequence[Convolution], outputs: int) -> dict[str, Tensor]:
    """What device/core/<name>_weights.h holds of its members, by name; the first `outputs`."""
    each = [_tables(net, outputs) for net in nets]
    return {name: torch.stack([one[name] for one in each]) for name in each[0]}


@torch.no_grad()
def _tables(net: Convolution, outputs: int) -> dict[str, Tensor]:
    first, first_bias = _folded(net.first, net.norm)
    layers = [_folded(layer, norm) for layer, norm in zip(net.layers, net.norms, strict=True)]
    return {
        "FIRST_WEIGHTS": first,
        "FIRST_BIAS": first_bias,
        "MORE_WEIGHTS": torch.stack([w for w, _ in layers]),
        "MORE_BIAS": torch.stack([b for _, b in layers]),
        "LAST_WEIGHTS": net.last.weight[:outputs, :, 0],
        "LAST_BIAS": net.last.bias[:outputs],
    }


def header(
    values: Mapping[str, Tensor], name: str, script: str, more: str, provenance: Iterable[str]
) -> str:
    """All of device/core/<name>_weights.h; `more`: further C lines."""
    guard = f"RG_{name.upper()}"
    made = "".join(f" * {line}\n" for line in provenance)
    return (
        f"/* {name}_weights.h: written by bench/training/{script}, not by hand.\n{made} */\n"
        f"#ifndef {guard}_WEIGHTS_H\n#define {guard}_WEIGHTS_H\n\n{more}"
        + "".join(table(f"{guard}_{key}", each) for key, each in values.items())
        + "\n#endif\n"
    )


def table(name: str, values: Tensor) -> str:
    size = "".join(f"[{n}]" for n in values.shape)
    return f"static const float {name}{size} = {_braces(values)};\n"


def _folded(layer: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """Weights [kernel, in, out] and bias [out] of a layer with its normalisation taken in."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weights = (layer.weight * scale[:, None, None]).permute(2, 1, 0)
    return weights, norm.bias - norm.running_mean * scale


def _number(x: float) -> str:
    """A C float; seven digits give back every float's first six."""
    digits = f"{x:.7g}"
    return digits + ("f" if "." in digits or "e" in digits else ".0f")


def _braces(values: Tensor) -> str:
    if values.dim() == 1:
        return "{" + ", ".join(map(_number, values.tolist())) + "}"
    return "{\n" + ",\n".join(_braces(part) for part in values) + "}"
