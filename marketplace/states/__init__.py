"""State machines of the marketplace, one aggregate a module; each is the only statement of what may follow what."""
