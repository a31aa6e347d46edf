"""What is worked out from scenarios and ensembles."""
