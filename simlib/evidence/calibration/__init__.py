"""Calibration: what the record says of a scenario's numbers, each with data, method and date.

A fitter takes a `record.Record`, which holds nothing later than its date, and returns what it
says of parameters; `collecting.calibrate` asks them all, `writing.scenario_text` writes the file.
"""
