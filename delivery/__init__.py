"""Courier delivery of approval results: what we decide, what the carrier reports, and the wire between."""
