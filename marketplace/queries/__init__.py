"""Reads of the marketplace, one aggregate a module; they return frozen values."""
