"""Back-tests: how good forecasts of lethal events would have been, beside the field's baselines.

`origins` says what was known when, `forecasters` what is compared, `scored_forecasts` runs and
scores, `skill` says how sure a difference is, `result` what it all comes to.
"""
