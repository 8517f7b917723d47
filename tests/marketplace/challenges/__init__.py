"""Objections, queries, complaints and off-list reports."""
