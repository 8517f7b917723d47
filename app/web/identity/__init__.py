"""Pages and API of accounts, organisations and their administration."""
