"""Pages, API and webhooks of payments: translation between HTTP and the use cases."""
