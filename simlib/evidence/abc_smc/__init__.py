"""What can only be seen through a simulator: approximate Bayesian computation, resumable."""
