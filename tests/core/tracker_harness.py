"""The tracker alone, with the body told instead of judged: its own C, compiled for the tests."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from device.core import PING
from device.core.build import HERE, declarations
from tests.core.conftest import driven

_DRIVE = (
    "void drive(const rg_params *params, int64_t n, const double *t, const int8_t *direction,"
    " const float *speed, const float *lean, const float *turn, const uint8_t *gap,"
    " int64_t n_pings, const rg_ping *pings, float *distance, float *closing, float *ttc,"
    " int8_t *obstacle, int8_t *blind)"
)
_SOURCE = """
#include "tracker.h"
#include <string.h>
#include <math.h>
%s
{
    rg_tracker tracker;
    int64_t used = 0;
    rg_tracker_init(&tracker, params);
    for (int64_t i = 0; i < n; i++) {
        rg_body body = {.t = t[i], .sample = i, .dt = 1.0f / params->fs, .gap = gap[i],
                        .settled = true, .lean = lean[i], .rate = {0.0f, 0.0f, turn[i]}};
        rg_gait gait = {.speed = speed[i], .direction = direction[i]};
        rg_demand demand = {{0}};
        rg_estimate estimate;
        gait.walking = direction[i] != RG_STILL && direction[i] != RG_UNKNOWN;
        memset(&estimate, 0, sizeof estimate);
        while (used < n_pings && !(pings[used].t > t[i]))
            rg_tracker_ping(&tracker, &pings[used++]);
        rg_tracker_step(&tracker, &body, &gait, &demand, &estimate);
        distance[i] = estimate.distance;
        closing[i] = estimate.closing;
        ttc[i] = estimate.ttc;
        obstacle[i] = demand.level[RG_OBSTACLE];
        blind[i] = demand.level[RG_REAR_BLIND];
    }
}
"""
_PARTS = ("tracker.c", "track.c", "floor.c", "strays.c", "blind.c", "params.c")


class Tracker:
    """Compiles the tracker's own files into `folder`, and drives them. Needs a C compiler."""

    def __init__(self, folder: Path) -> None:
        parts = [str(HERE / part) for part in _PARTS]
        declared = declarations() + _DRIVE + ";"
        self._ffi, self._lib = driven(folder, _SOURCE % _DRIVE, declared, parts)

    def __call__(
        self, pings, end, *, fs=100.0, direction=9, speed=np.nan, lean=0.0, turn=0.0, gap=0,
        **params,
    ):  # fmt: skip
        """Judge `pings` [(t, range, echo), …] from 0 to `end` s.

        direction, speed [m/s, backward negative], lean [rad], turn [rad/s], gap: one for all, or
        one a sample.
        Returns t, distance, closing, ttc, obstacle and blind (levels), one a sample.
        """
        ffi, t = self._ffi, np.arange(0, end, 1 / fs)
        n = len(t)
        told = [
            np.broadcast_to(np.asarray(value, kind), n).copy()
            for value, kind in zip(
                (direction, speed, lean, turn, gap), ("i1", "f4", "f4", "f4", "u1"), strict=True
            )
        ]
        echoes = np.array([tuple(p) for p in pings], PING)
        chosen = ffi.new("rg_params *")
        self._lib.rg_params_default(chosen, fs)
        chosen.has_ranger = 1
        for name, value in params.items():
            setattr(chosen, name, value)
        out = {name: np.zeros(n, "f4") for name in ("distance", "closing", "ttc")}
        out |= {name: np.zeros(n, "i1") for name in ("obstacle", "blind")}

        def at(array, kind):
            return ffi.cast(kind, array.ctypes.data)

        kinds = ("int8_t *", "float *", "float *", "float *", "uint8_t *")
        self._lib.drive(
            chosen,
            n,
            at(t, "double *"),
            *(at(array, kind) for array, kind in zip(told, kinds, strict=True)),
            len(echoes),
            at(echoes, "rg_ping *"),
            *(at(out[name], "float *") for name in ("distance", "closing", "ttc")),
            *(at(out[name], "int8_t *") for name in ("obstacle", "blind")),
        )
        return SimpleNamespace(t=t, **out)
