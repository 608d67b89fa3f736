"""The laws of the decision stage, for any demands at any times."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

RAISED, CLEARED = 0, 1


@pytest.fixture(scope="module")
def decide(inner):
    """Runs [(seconds later, {kind: level})] and returns [(t, kind, level, state)] a step."""
    ffi, lib = inner

    def run(steps):
        state, demand = ffi.new("rg_decide *"), ffi.new("rg_demand *")
        events = ffi.new("rg_event[]", lib.RG_KINDS)
        lib.rg_decide_init(state)
        t, told = 0.0, []
        for sample, (later, levels) in enumerate(steps):
            t += later
            for kind in range(lib.RG_KINDS):
                demand.level[kind] = levels.get(kind, 0)
            demand.most = max(levels.values(), default=0)
            n = lib.rg_decide_step(state, t, sample, demand, events)
            assert 0 <= n <= lib.RG_KINDS
            told.append([(e.t, e.kind, e.level, e.state) for e in events[0:n]])
        return told

    return run


LEVELS = st.dictionaries(st.integers(0, 10), st.integers(1, 7), max_size=4)
STEPS = st.lists(st.tuples(st.sampled_from([0.0, 0.01, 0.5, 3.0, 12.0]), LEVELS), max_size=60)


@given(steps=STEPS)
@settings(deadline=None)
def test_raised_once_a_level_then_cleared_once(decide, steps):
    """In each kind, levels rise strictly until the episode is cleared at its highest level."""
    told = decide(steps)
    for kind in range(11):
        level = 0
        for (_, levels), events in zip(steps, told, strict=True):
            mine = [e for e in events if e[1] == kind]
            assert len(mine) <= 1
            for _, _, told_level, state in mine:
                if state == RAISED:
                    assert told_level == levels[kind] > level
                    level = told_level
                else:
                    assert kind not in levels
                    assert told_level == level > 0
                    level = 0
            assert level >= levels.get(kind, 0)  # what is asked for now is never untold


@given(steps=STEPS)
@settings(deadline=None)
def test_a_kind_is_judged_by_itself(decide, steps):
    """What one kind is told does not depend on the demands of the others."""
    told = decide(steps)
    alone = decide([(later, {0: levels[0]} if 0 in levels else {}) for later, levels in steps])
    assert [[e for e in events if e[1] == 0] for events in told] == alone


def test_it_is_cleared_after_its_clear_time_and_not_before(decide, inner):
    _, lib = inner
    kind, fault = lib.RG_IMU_FAULT, 6
    steps = [(0.0, {kind: fault})] + [(0.1, {})] * 12
    told = decide(steps)
    assert told[0] == [(0.0, kind, fault, RAISED)]
    assert [k for k, events in enumerate(told) if events] in ([0, 10], [0, 11])  # 1 s, rounded
    # asked for again within the second: the same episode, and told no second time
    again = decide([*steps[:6], (0.1, {kind: fault}), *steps[1:8]])
    assert sum(len(events) for events in again) == 1


def test_every_kind_can_be_told_in_one_step(decide):
    assert len(decide([(0.0, dict.fromkeys(range(11), 7))])[0]) == 11


def test_how_long_each_kind_must_be_gone_before_it_is_closed(inner):
    """Nobody asks any more: the pause within one and the same happening, by the table's reasons."""
    ffi, lib = inner
    clear = {
        lib.RG_OBSTACLE: 1, lib.RG_REAR_BLIND: 1, lib.RG_UNSTEADY: 5, lib.RG_STUMBLE: 2,
        lib.RG_FALL_IMMINENT: 5, lib.RG_FALL: 10, lib.RG_POSTURE: 5, lib.RG_PACE: 5,
        lib.RG_NOT_WORN: 2, lib.RG_IMU_FAULT: 1, lib.RG_UP_AND_WALKING: 0,
    }  # fmt: skip
    assert len(clear) == lib.RG_KINDS
    for kind, seconds in clear.items():
        state, demand = ffi.new("rg_decide *"), ffi.new("rg_demand *")
        events = ffi.new("rg_event[]", lib.RG_KINDS)
        lib.rg_decide_init(state)
        demand.level[kind] = demand.most = lib.RG_WARNING
        assert lib.rg_decide_step(state, 100.0, 0, demand, events) == 1
        demand.level[kind] = demand.most = lib.RG_NONE
        assert lib.rg_decide_step(state, 100.0 + seconds, 1, demand, events) == 0
        assert lib.rg_decide_step(state, 100.0 + seconds + 0.01, 2, demand, events) == 1
        assert (events[0].kind, events[0].state) == (kind, lib.RG_CLEARED)
        assert events[0].level == lib.RG_WARNING
