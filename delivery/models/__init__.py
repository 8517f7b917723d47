"""Tables of delivery, one aggregate a module."""
