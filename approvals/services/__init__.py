"""Use cases of approvals, one aggregate a module; the only writers."""
