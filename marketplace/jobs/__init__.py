"""What the clock starts in the marketplace, one aggregate a module."""
