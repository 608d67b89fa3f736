"""The fall network's C, against the same convolutions written over whole arrays."""

from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest
from cffi import FFI

from device.core.build import FLAGS, HERE
from tests.core.conftest import compiler

TABLE = re.compile(r"static const float RG_FALL_(\w+?)((?:\[\d+\])+) = ([^;]*);")


def tables():
    """Every table of fall_weights.h, by its name."""
    text = (HERE / "fall_weights.h").read_text()
    found = {}
    for name, size, body in TABLE.findall(text):
        numbers = [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", body)]
        found[name] = np.reshape(numbers, [int(n) for n in re.findall(r"\d+", size)])
    return found


def causal(x, weights, apart):
    """[N, in] by [kernel, in, out]; what lies before the start is 0."""
    n, kernel = len(x), len(weights)
    early = np.concatenate([np.zeros(((kernel - 1) * apart, x.shape[1])), x])
    return sum(early[k * apart : k * apart + n] @ weights[k] for k in range(kernel))


def odds(frames):
    """[N, 2] logarithm of the odds of falling and fallen at each of [N, channels] frames."""
    w = tables()
    x = np.maximum(causal(frames, w["FIRST_WEIGHTS"], 1) + w["FIRST_BIAS"], 0)
    for layer, (weights, bias) in enumerate(zip(w["WEIGHTS"], w["BIAS"], strict=True)):
        x = x + np.maximum(causal(x, weights, 2**layer) + bias, 0)
    return x @ w["LAST_WEIGHTS"].T + w["LAST_BIAS"]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Gives the odds that the C finds, frame by frame."""
    library = tmp_path_factory.mktemp("network") / "network.so"
    source = library.with_suffix(".c")
    source.write_text(
        '#include "fall_network.h"\n'
        "void run(int n, const float (*frames)[RG_CHANNELS], rg_fall_odds *odds)\n"
        "{\n    rg_fall_network s;\n    rg_fall_network_init(&s);\n"
        "    for (int i = 0; i < n; i++)\n"
        "        odds[i] = rg_fall_network_step(&s, frames[i]);\n}\n"
    )
    command = [compiler("gcc", "cc"), *FLAGS, "-fPIC", "-shared", f"-I{HERE}", "-o", str(library)]
    subprocess.run([*command, str(source), str(HERE / "fall_network.c"), "-lm"], check=True)
    ffi = FFI()
    ffi.cdef("void run(int n, const void *frames, void *odds);")
    lib = ffi.dlopen(str(library))

    def run(frames):
        frames = np.ascontiguousarray(frames, np.float32)
        found = np.zeros((len(frames), 2), np.float32)
        lib.run(
            len(frames),
            ffi.cast("void *", frames.ctypes.data),
            ffi.cast("void *", found.ctypes.data),
        )
        return found

    return run


def test_frame_by_frame_it_is_the_convolution(network):
    """Over several rounds of its longest ring (64 frames), on noise and on bursts in silence."""
    rng = np.random.default_rng(1)
    frames = rng.normal(0, 1, (400, tables()["FIRST_WEIGHTS"].shape[1]))
    frames[150:300] *= rng.random((150, 1)) < 0.05
    found = network(frames)
    assert (np.ptp(found, axis=0) > 1).all()
    np.testing.assert_allclose(found, odds(frames), rtol=1e-4, atol=1e-4)
