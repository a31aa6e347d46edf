"""Who decides: what every agent can do, and which agents there are."""
