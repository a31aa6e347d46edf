"""The count forecaster: known monthly counts in, joint later counts out.

`smoothing` says how a series behaves and smooths it, `count_fit` finds where it stands by its
counts and draws from that, `forecaster` turns each draw into a replication of the engine.
"""
