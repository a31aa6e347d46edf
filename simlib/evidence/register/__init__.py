"""The register: a card for every number, what it follows from, where it is used, how it matters."""
