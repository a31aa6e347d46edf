"""Back-tests: how good forecasts of lethal events would have been, beside the field's baselines.

`origins` says what was known when, `baselines` what the field forecasts, `scoring` how a
forecast is judged, `bootstrap` how sure a difference is, `backtest` runs it all.
"""
