"""Table of contents of the payments domain."""

from app.manifest import Domain
from payments import gateways
from payments.handlers import HANDLERS
from payments.jobs import JOBS, keep_address
from payments.policy import GRANTS
from payments.states import BILL, PAYMENT, REFUND


def _register_address() -> None:
    keep_address()


DOMAIN = Domain(
    name="payments",
    machines=(BILL, PAYMENT, REFUND),
    handlers=(HANDLERS,),
    jobs=JOBS,
    grants=GRANTS,
    init_app=gateways.init_app,
    on_start=_register_address,
)
