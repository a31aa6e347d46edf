"""The incident layer as a forecaster: known monthly counts in, joint later counts out.

`settings` says what is taken as given, `fitting` where the series stand by the known
counts, `smoothing` how, `replaying` how that becomes a scenario of the engine, and
`incident_layer` is the forecaster that back-tests run.
"""
