"""The one list of domains, lowest first."""

from app.manifest import Domain


def all_domains() -> tuple[Domain, ...]:
    """Return the manifests in the order of their dependencies. Imported late: a domain may import the web."""
    import approvals.manifest
    import delivery.manifest
    import marketplace.manifest
    import payments.manifest
    from app.identity.handlers import HANDLERS
    from app.identity.jobs import JOBS
    from app.identity.states import MACHINES

    identity = Domain("identity", machines=MACHINES, handlers=(HANDLERS,), jobs=JOBS)
    return (
        identity,
        payments.manifest.DOMAIN,
        delivery.manifest.DOMAIN,
        marketplace.manifest.DOMAIN,
        approvals.manifest.DOMAIN,
    )
