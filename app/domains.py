"""The one list of domains, lowest first."""

from app.kernel.access import Role
from app.kernel.words import N_
from app.manifest import Domain, NavigationItem, Topic


def all_domains() -> tuple[Domain, ...]:
    """Return the manifests in the order of their dependencies. Imported late: a domain may import the web."""
    import approvals.manifest
    import delivery.manifest
    import marketplace.manifest
    import payments.manifest
    from app.identity.handlers import HANDLERS
    from app.identity.jobs import JOBS
    from app.identity.states import MACHINES
    from app.kernel.jobs import Job, daily
    from app.webhooks import policy as webhooks_policy
    from app.webhooks import services as webhooks
    from app.webhooks import web as webhooks_web
    from app.webhooks.states import ENDPOINT

    identity = Domain(
        "identity",
        machines=MACHINES,
        handlers=(HANDLERS,),
        jobs=JOBS,
        notice_topics=(Topic("identity", N_("Accounts and roles")),),
        navigation=(
            NavigationItem(
                N_("User accounts"),
                "administration.users",
                "users",
                frozenset({Role.ADMINISTRATOR, Role.AUDITOR}),
                order=800,
            ),
            NavigationItem(N_("Working days"), "work_calendar.calendar_page", "calendar", order=96),
        ),
        object_href={
            "user": lambda object_id: f"/admin/users/{object_id}",
            "membership": lambda object_id: f"/account/members/{object_id}",
            "organisation": lambda object_id: f"/admin/organisations/{object_id}",
        },
    )
    outward = Domain(
        "webhooks",
        machines=(ENDPOINT,),
        jobs=(Job("webhooks.forget", webhooks.forget_old, daily("03:50"), N_("Forget old messages to partners"), 300),),
        blueprints=(webhooks_web.pages, webhooks_web.api),
        grants=webhooks_policy.GRANTS,
        navigation=(
            NavigationItem(
                N_("Messages to your systems"),
                "webhooks.listed",
                "send",
                frozenset({Role.OWNER, Role.AGENCY, Role.OPERATOR}),
                order=95,
            ),
        ),
        object_href={"webhook_endpoint": lambda object_id: f"/webhooks/{object_id}"},
        notice_topics=(Topic("webhooks", N_("Messages to your systems")),),
    )
    return (
        identity,
        outward,
        payments.manifest.DOMAIN,
        delivery.manifest.DOMAIN,
        marketplace.manifest.DOMAIN,
        approvals.manifest.DOMAIN,
    )
