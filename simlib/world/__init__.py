"""The world that agents decide in: clock, state, places, timeline, incidents."""
