"""Tables of payments, one aggregate a module."""
