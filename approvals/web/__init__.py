"""Pages and JSON of approvals."""
