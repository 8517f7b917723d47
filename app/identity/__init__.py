"""Who uses the platform: persons, organisations, sign-in, sessions, notices."""
