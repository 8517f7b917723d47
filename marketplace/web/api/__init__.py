"""JSON interface of the marketplace, one aggregate a module."""
