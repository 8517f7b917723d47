"""The use cases of payments, the only writers of bills, attempts, refunds and the ledger."""

from payments.rules import BillLine
from payments.services.bank import (
    DecideEntry,
    EnterMovement,
    EnterRefundSent,
    HandInVoucher,
    confirm_entry,
    enter_money_returned,
    enter_movement,
    enter_refund_sent,
    hand_in_voucher,
    reject_entry,
)
from payments.services.bills import OpenBill, VoidBill, open_bill, void_bill, withdraw_bill
from payments.services.books import Overdrawn, post
from payments.services.held import freeze_money, release_held, unfreeze_money
from payments.services.notices import (
    fold_notice,
    recall_notices,
    record_notice,
    register_address,
)
from payments.services.payments import (
    GatewayUnreachable,
    StartPayment,
    cancel_payment,
    send_payment,
    start_joint_payment,
    start_payment,
    start_payment_by_code,
    sync_payment,
)
from payments.services.reconciliation import check_books
from payments.services.refunds import (
    DecideRefund,
    approve_refund,
    refund,
    reject_refund,
    send_refund,
    sync_refund,
)
from payments.states import BillKind

__all__ = [
    "BillKind",
    "BillLine",
    "DecideEntry",
    "DecideRefund",
    "EnterMovement",
    "EnterRefundSent",
    "GatewayUnreachable",
    "HandInVoucher",
    "OpenBill",
    "Overdrawn",
    "StartPayment",
    "VoidBill",
    "approve_refund",
    "cancel_payment",
    "check_books",
    "confirm_entry",
    "enter_money_returned",
    "enter_movement",
    "enter_refund_sent",
    "fold_notice",
    "freeze_money",
    "hand_in_voucher",
    "open_bill",
    "post",
    "recall_notices",
    "record_notice",
    "refund",
    "register_address",
    "reject_entry",
    "reject_refund",
    "release_held",
    "send_payment",
    "send_refund",
    "start_joint_payment",
    "start_payment",
    "start_payment_by_code",
    "sync_payment",
    "sync_refund",
    "unfreeze_money",
    "void_bill",
    "withdraw_bill",
]
