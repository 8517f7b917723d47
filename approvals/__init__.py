"""Approval cases whose results are delivered: intake, statutory clock, demanded deliverables, decision, certificate, service."""
