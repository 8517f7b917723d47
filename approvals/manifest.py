"""Table of contents of the approvals domain."""

from app.kernel.words import N_
from app.manifest import Domain, Topic
from approvals import handlers, jobs, policy, states
from approvals.queries import cases
from approvals.web import api, pages

DOMAIN = Domain(
    name="approvals",
    machines=states.MACHINES,
    handlers=(handlers.HANDLERS,),
    jobs=jobs.JOBS,
    blueprints=(pages.bp, api.bp),
    grants=policy.GRANTS,
    navigation=pages.NAVIGATION,
    worklist=cases.worklist,
    notice_topics=(Topic("case", N_("Approval cases")),),
    object_href=pages.OBJECT_HREF,
)
