"""Marks English messages for the catalogues where gettext itself cannot run (pure modules, class bodies)."""


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools know
    """Return `message` unchanged; message extraction finds the call, the web translates it when shown."""
    return message
