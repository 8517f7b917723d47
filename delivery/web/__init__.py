"""Delivery over the web."""
