"""Pages of the marketplace, one aggregate a module."""
