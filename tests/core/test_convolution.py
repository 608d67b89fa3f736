"""The networks' C, against the same convolutions written over whole arrays."""

from __future__ import annotations

import re

import numpy as np
import pytest

from device.core.build import HERE
from tests.core.conftest import driven

TABLE = re.compile(r"static const float RG_[A-Z]+?_(\w+?)((?:\[\d+\])+) = ([^;]*);")
STEP = {  # a frame through each network, in C; what it says fills `out`
    "fall": "rg_fall_odds odds = rg_fall_network_step(&s, frame);"
    " out[0] = odds.falling; out[1] = odds.fallen;",
    "walk": "rg_walk_network_step(&s, frame, out);",
    "step": "out[0] = rg_step_network_step(&s, frame);",
}


def tables(name):
    """Every table of a network's sums, by its name."""
    text = (HERE / f"{name}_weights.h").read_text()
    found = {}
    for table, size, body in TABLE.findall(text):
        numbers = [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", body)]
        if table.endswith(("WEIGHTS", "BIAS")):
            found[table] = np.reshape(numbers, [int(n) for n in re.findall(r"\d+", size)])
    return found


def causal(x, weights, apart):
    """[N, in] by [kernel, in, out]; what lies before the start is 0."""
    n, kernel = len(x), len(weights)
    early = np.concatenate([np.zeros(((kernel - 1) * apart, x.shape[1])), x])
    return sum(early[k * apart : k * apart + n] @ weights[k] for k in range(kernel))


def over_all(name, frames):
    """[N, outputs] at each of [N, channels] frames: what the members say on average."""
    w = tables(name)
    each = [{table: one[m] for table, one in w.items()} for m in range(len(w["LAST_BIAS"]))]
    return np.mean([through(one, frames) for one in each], axis=0)


def through(w, frames):
    """[N, outputs] of one member's tables."""
    x = np.maximum(causal(frames, w["FIRST_WEIGHTS"], 1) + w["FIRST_BIAS"], 0)
    for layer, (weights, bias) in enumerate(zip(w["MORE_WEIGHTS"], w["MORE_BIAS"], strict=True)):
        x = x + np.maximum(causal(x, weights, 2**layer) + bias, 0)
    return x @ w["LAST_WEIGHTS"].T + w["LAST_BIAS"]


@pytest.fixture(scope="module", params=STEP)
def network(request, tmp_path_factory):
    """(its name, what gives the C's outputs frame by frame)."""
    name = request.param
    channels, outputs = tables(name)["FIRST_WEIGHTS"].shape[-2], tables(name)["LAST_BIAS"].shape[-1]
    declared = "void run(int n, const float *frame, float *out)"
    driver = (
        f'#include "{name}_network.h"\n{declared}\n'
        f"{{\n    rg_{name}_network s;\n    rg_{name}_network_init(&s);\n"
        f"    for (int i = 0; i < n; i++, frame += {channels}, out += {outputs}) {{\n"
        f"        {STEP[name]}\n    }}\n}}\n"
    )
    parts = [str(HERE / f"{name}_network.c")]
    ffi, lib = driven(tmp_path_factory.mktemp("network"), driver, declared + ";", parts)

    def run(frames):
        frames = np.ascontiguousarray(frames, np.float32)
        found = np.zeros((len(frames), outputs), np.float32)
        lib.run(len(frames), ffi.from_buffer("float[]", frames), ffi.from_buffer("float[]", found))
        return found

    return name, run


def test_frame_by_frame_it_is_the_convolution(network):
    """Over several rounds of its longest ring (64 frames), on noise and on bursts in silence."""
    name, run = network
    rng = np.random.default_rng(1)
    frames = rng.normal(0, 1, (400, tables(name)["FIRST_WEIGHTS"].shape[-2]))
    frames[150:300] *= rng.random((150, 1)) < 0.05
    found = run(frames)
    assert (np.ptp(found, axis=0) > 1).all()
    np.testing.assert_allclose(found, over_all(name, frames), rtol=1e-4, atol=1e-4)
