"""Use cases of the marketplace, the only writers; one aggregate a module, one transaction per use case."""
