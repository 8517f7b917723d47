"""Measurements against floors and peers in the same run. Trust ratios, not absolute rates: the machine is shared."""
