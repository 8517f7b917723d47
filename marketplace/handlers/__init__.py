"""Reactions of the marketplace to events, one aggregate a module."""
