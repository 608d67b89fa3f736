"""What a time of the 3-metre backward walk says as a screening figure, and what it does not.

Two published cut-offs disagree, and both are told: V. Carter et al., "The 3-m backward walk and
retrospective falls", J. Geriatr. Phys. Ther. 42 (2019): below 3.0 s few, above 4.5 s most had
fallen; and a study of 483 people: 5.5 s, area under the curve 0.655.
"""

from __future__ import annotations

LOW_S, HIGH_S, OTHER_S = 3.0, 4.5, 5.5
WORTH_SAYING_S = 0.15  # s of doubt, from which a time is told with its range


def words(time: float, off: float = 0.0) -> str:
    """Of a `time` [s] that is true within `off` [s]: a range that holds a cut-off is on no side."""
    low, high = time - off, time + off
    carter = (
        f"below {LOW_S} s: low risk" if high < LOW_S
        else f"above {HIGH_S} s: high risk" if low > HIGH_S
        else f"between {LOW_S} and {HIGH_S} s: neither" if low >= LOW_S and high <= HIGH_S
        else f"too near {_within(low, high, LOW_S, HIGH_S)} s to tell"
    )  # fmt: skip
    other = (
        f"above {OTHER_S} s" if low > OTHER_S
        else f"not above {OTHER_S} s" if high <= OTHER_S
        else f"too near {OTHER_S} s to tell"
    )  # fmt: skip
    told = f"{time:.2f} s"
    if off > WORTH_SAYING_S:
        told = f"about {time:.1f} s ({low:.1f} to {high:.1f})"
    return (
        f"{told}; Carter {carter}; n = 483 (area under the curve 0.655): {other};"
        " a screening figure, no diagnosis"
    )


def _within(low: float, high: float, *marks: float) -> str:
    return " and ".join(str(mark) for mark in marks if low <= mark <= high)
