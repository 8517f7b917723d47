"""The one list of domains, lowest first."""

from app.manifest import Domain


def all_domains() -> tuple[Domain, ...]:
    """Return the manifests in the order of their dependencies. Imported late: a domain may import the web."""
    import approvals.manifest
    import delivery.manifest
    import marketplace.manifest
    import payments.manifest

    return (
        payments.manifest.DOMAIN,
        delivery.manifest.DOMAIN,
        marketplace.manifest.DOMAIN,
        approvals.manifest.DOMAIN,
    )
