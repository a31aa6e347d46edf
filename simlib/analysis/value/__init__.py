"""What would be worth knowing before a deadline is decided on: EVPPI, EVSI, EVPI."""
