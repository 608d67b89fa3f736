"""Behind `./dev bench loop`: `belt` builds the device with simulated parts, `lateness` runs it in
real time, `share` counts what a tick costs, `zero` says what that would be on a Pi Zero 2 W.
"""
