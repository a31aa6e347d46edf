"""Calibration: what the record says of a scenario's numbers, each with data, method and date.

A fitter takes a `Record`, which holds nothing later than its date, and returns what it says of
parameters; `calibrate` asks them all, and a `Calibration` writes itself as a scenario file.
"""
