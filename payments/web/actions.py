"""The human edges of bills and refunds, and the use cases behind them."""

from app.kernel.words import N_
from app.web.actions import Action
from payments import services
from payments.web.schemas import ApproveRefundIn, RejectRefundIn, VoidIn

BILL_ACTIONS = {
    "void": Action(
        services.void_bill,
        VoidIn,
        explain=N_("The bill will no longer be due and the payer is told why. This cannot be taken back."),
        danger=True,
    ),
}
REFUND_ACTIONS = {
    "approve": Action(services.approve_refund, ApproveRefundIn, done=N_("Approved. The refund is being sent.")),
    "reject": Action(
        services.reject_refund, RejectRefundIn, explain=N_("The money stays where it lay before."), danger=True
    ),
}
