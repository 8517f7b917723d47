"""Input and output schemas of the marketplace, one aggregate a module."""
