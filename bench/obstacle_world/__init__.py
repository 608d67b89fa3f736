"""The Monte Carlo world behind `./dev bench obstacles`.

`echoes` is what an ultrasonic ranger makes of what stands there, `walks` how the belt moves,
`wearers` who wears it, `approaches`, `quiet` and `faults` what happens, `recorded` what real sonars
heard, `scores` the figures, `pictures` the report. Nothing here knows how the tracker decides.
"""
