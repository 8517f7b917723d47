"""Reads of approvals, one subject a module; they return frozen values."""
