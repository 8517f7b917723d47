"""Letters of the marketplace as PDF, one aggregate a module."""
