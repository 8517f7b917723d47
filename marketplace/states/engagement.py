"""The words of a contract's side steps: causes, moments and outcomes, each with its public label."""

from enum import StrEnum

from app.kernel.words import N_


class PauseReason(StrEnum):
    """Why the clock may stand still (BUSINESS-RULES 2.9 rule 3)."""

    BASE_DATA_MISSING = "base_data_missing"
    SCOPE_CHANGED = "scope_changed"
    SITE_NOT_ACCESSIBLE = "site_not_accessible"
    PUBLICITY = "publicity"
    EXPERT_REVIEW = "expert_review"
    HEARING = "hearing"
    THIRD_PARTY_TESTING = "third_party_testing"
    FORCE_MAJEURE = "force_majeure"
    SEASON = "season"
    COMPLAINT = "complaint"
    PAYMENT_OVERDUE = "payment_overdue"


PAUSE_REASON_LABELS = {
    PauseReason.BASE_DATA_MISSING: N_("The owner has not supplied base data"),
    PauseReason.SCOPE_CHANGED: N_("The owner changed the scope"),
    PauseReason.SITE_NOT_ACCESSIBLE: N_("The site is not accessible"),
    PauseReason.PUBLICITY: N_("Publicity required by law"),
    PauseReason.EXPERT_REVIEW: N_("Expert review or technical assessment"),
    PauseReason.HEARING: N_("Hearing"),
    PauseReason.THIRD_PARTY_TESTING: N_("Testing by a third party"),
    PauseReason.FORCE_MAJEURE: N_("Force majeure"),
    PauseReason.SEASON: N_("Field survey season"),
    PauseReason.COMPLAINT: N_("Suspended by a complaint"),
    PauseReason.PAYMENT_OVERDUE: N_("A milestone payment of the owner is overdue"),
}


class PaymentMoment(StrEnum):
    """When the owner pays the fee of a milestone."""

    HELD = "held"  # before the work: the platform holds it until acceptance
    ON_ACCEPTANCE = "on_acceptance"  # after acceptance, within the agreed number of days


PAYMENT_MOMENT_LABELS = {
    PaymentMoment.HELD: N_("In advance; the platform holds it until acceptance"),
    PaymentMoment.ON_ACCEPTANCE: N_("After acceptance"),
}


class Settlement(StrEnum):
    """How a dispute ends."""

    CONTINUE = "continue"
    ACCEPT = "accept"
    TERMINATE = "terminate"


SETTLEMENT_LABELS = {
    Settlement.CONTINUE: N_("The work goes on"),
    Settlement.ACCEPT: N_("The deliverable is accepted"),
    Settlement.TERMINATE: N_("The contract ends"),
}


class BreachKind(StrEnum):
    """What a notice of breach complains about."""

    LATE_DELIVERY = "late_delivery"
    DEFECTIVE_WORK = "defective_work"
    LATE_PAYMENT = "late_payment"
    NO_COOPERATION = "no_cooperation"
    OTHER = "other"


BREACH_LABELS = {
    BreachKind.LATE_DELIVERY: N_("The deliverable is late"),
    BreachKind.DEFECTIVE_WORK: N_("The work does not keep to the contract"),
    BreachKind.LATE_PAYMENT: N_("A payment is late"),
    BreachKind.NO_COOPERATION: N_("The other side does not cooperate"),
    BreachKind.OTHER: N_("Another breach"),
}


class TerminationCause(StrEnum):
    """Why a contract ended before its time."""

    UNSIGNED = "unsigned"
    AGREEMENT = "agreement"
    BREACH = "breach"
    DISPUTE = "dispute"


TERMINATION_LABELS = {
    TerminationCause.UNSIGNED: N_("Not signed"),
    TerminationCause.AGREEMENT: N_("Ended by agreement"),
    TerminationCause.BREACH: N_("Ended because of a breach"),
    TerminationCause.DISPUTE: N_("Ended by the settlement of a dispute"),
}
