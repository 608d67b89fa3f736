"""The figures of a recording set: what the belt judged beside what was true.

One file a kind of truth. Each has an observation of one trial (`observe`: small, made where the
trial was replayed) and the figures over many of them (`figures`). All times are seconds from the
trial's start, so that a set replayed at another rate is measured by the same definitions.
"""
