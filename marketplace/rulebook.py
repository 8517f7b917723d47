"""The rule book: every number that a city or a province may set differently, as one versioned value.

Rules take a `RuleBook` as an argument; a procurement, a contract and an application store the version they began under, so a later
change of the rule book never moves a running case. Source of the parameters and of their defaults: the field's published measures
(Guangdong, Hunan, Chongqing, Haizhou, Huizhou, Hukou and others); each field names its key.
Units: `_wd` working days, `_days` calendar days, `_fen` integer fen, `_percent` per cent, `_minutes` minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from app.kernel.words import N_


def _parameter(default: object, key: str, label: str, unit: str = "", choices: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"key": key, "label": label, "unit": unit, "choices": choices})


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every parameter of one jurisdiction in one version."""

    version: int = 1

    # How agencies are admitted (入驻)
    onboarding_check_wd: int = _parameter(2, "onboarding.check_wd", N_("Form check of an agency within"), "wd")
    onboarding_publicity_wd: int = _parameter(
        5, "onboarding.publicity_wd", N_("Publicity before admission (0 = none)"), "wd"
    )
    onboarding_change_check_wd: int = _parameter(
        2, "onboarding.change_check_wd", N_("Form check of an agency's change within"), "wd"
    )
    onboarding_exit_cooloff_days: int = _parameter(
        30, "onboarding.exit_cooloff_days", N_("Waiting time after leaving before a new application"), "days"
    )
    onboarding_removed_cooloff_days: int = _parameter(
        365, "onboarding.removed_cooloff_days", N_("Waiting time after removal before a new application"), "days"
    )
    onboarding_clean_record_years: int = _parameter(
        2, "onboarding.clean_record_years", N_("Years without a bad record"), "years"
    )
    qualification_reminder_days: tuple[int, ...] = _parameter(
        (90, 60, 30, 7), "qualification.reminder_days", N_("Reminders before a certificate expires"), "days"
    )

    # Notice and registration: 公告、报名
    notice_check_wd: int = _parameter(1, "notice.check_wd", N_("Form check of a notice within"), "wd")
    notice_registration_min_wd: int = _parameter(
        3, "notice.registration_min_wd", N_("Registration stays open at least"), "wd"
    )
    notice_registration_min_wd_merit: int = _parameter(
        5, "notice.registration_min_wd.merit", N_("Registration stays open at least (merit by plan)"), "wd"
    )
    notice_question_close_wd: int = _parameter(
        1, "notice.question_close_wd", N_("Questions end before the registration by"), "wd"
    )
    notice_answer_wd: int = _parameter(1, "notice.answer_wd", N_("The owner answers a question within"), "wd")
    split_purchase_window_months: int = _parameter(
        12, "notice.split_window_months", N_("Split purchases are looked for in"), "months"
    )

    # Avoidance (回避): which relations keep an agency out, and which only alarm the operator
    avoidance_share_percent: int = _parameter(25, "avoidance.share_percent", N_("A shareholder counts from"), "percent")
    avoidance_owner_excludes: tuple[str, ...] = _parameter(
        ("same_body", "representative", "shareholder", "controller", "subordinate", "role"),
        "avoidance.owner_excludes",
        N_("Relations to the owner that keep an agency out"),
        choices=("same_body", "representative", "shareholder", "controller", "subordinate", "role"),
    )

    # How a winner is selected (选取)
    random_min_pool_state: int = _parameter(
        3, "random.min_pool.state", N_("Smallest pool of a draw, public money"), "agencies"
    )
    random_min_pool_social: int = _parameter(
        1, "random.min_pool.social", N_("Smallest pool of a draw, private money"), "agencies"
    )
    random_max_amount_fen: int = _parameter(50_000_000, "method.random_max_amount", N_("Random draw up to"), "fen")
    bid_min_quotes_state: int = _parameter(3, "bid.min_quotes.state", N_("Fewest quotes, public money"), "quotes")
    bid_min_quotes_social: int = _parameter(1, "bid.min_quotes.social", N_("Fewest quotes, private money"), "quotes")
    bid_rounds: int = _parameter(1, "bid.rounds", N_("Bidding rounds"), "rounds")
    bid_round_minutes: int = _parameter(30, "bid.round_minutes", N_("Length of a bidding round"), "minutes")
    bid_opening_wd: int = _parameter(2, "bid.opening_wd", N_("Sealed quotes are opened within"), "wd")
    bid_rounds_max: int = _parameter(3, "bid.rounds.max", N_("Most bidding rounds"), "rounds")
    bid_round_gap_minutes: int = _parameter(
        30, "bid.round_gap_minutes", N_("Announcement before a further round"), "minutes"
    )
    merit_plan_min_plans_state: int = _parameter(
        2, "merit_plan.min_plans.state", N_("Fewest plans, public money"), "quotes"
    )
    merit_plan_min_plans_social: int = _parameter(
        1, "merit_plan.min_plans.social", N_("Fewest plans, private money"), "quotes"
    )
    merit_decide_wd: int = _parameter(3, "merit.decide_wd", N_("The owner compares within"), "wd")
    direct_max_amount_fen: int = _parameter(
        5_000_000, "direct.max_amount.state", N_("Direct selection for a small amount up to, public money"), "fen"
    )
    direct_after_failures: int = _parameter(
        2, "direct.after_failures", N_("Failures before a direct selection from the registered"), "times"
    )
    merit_credit_min_registrants: int = _parameter(
        2, "merit_credit.min_registrants", N_("Fewest registrants, merit by credit"), "agencies"
    )
    bidref_base_percent_set: tuple[int, ...] = _parameter(
        (95, 96, 97, 98), "bidref.base_percent_set", N_("Base percentages of the reference price"), "percent"
    )
    bidref_drop_extremes_min_quotes: int = _parameter(
        6, "bidref.drop_extremes_min_quotes", N_("Highest and lowest quote are dropped from"), "quotes"
    )
    tender_limit_fen: int = _parameter(
        100_000_000, "method.tender_limit", N_("Compulsory tendering from (services)"), "fen"
    )

    # Verifiable draw (GMDRAW/1): the announced public value must lie at least ten minutes after the freeze
    notice_form_check: bool = _parameter(
        True,
        "notice.form_check",
        N_("The operator checks the form of a notice before it is published"),
    )
    draw_challenge_minutes: int = _parameter(
        10, "draw.challenge_minutes", N_("Time to challenge a frozen list"), "minutes"
    )
    draw_beacon_hour: int = _parameter(
        10, "draw.beacon_hour", N_("Public value of the following working day at"), "hour"
    )
    draw_dead_source_days: int = _parameter(
        30, "draw.dead_source_days", N_("A draw whose source is silent is void after"), "days"
    )

    # Result, award, contract: 结果、中选、合同
    result_publish_wd: int = _parameter(1, "result.publish_wd", N_("Result published within"), "wd")
    result_publicity_wd: int = _parameter(3, "result.publicity_wd", N_("Publicity of the result"), "wd")
    result_publicity_wd_merit: int = _parameter(
        5, "result.publicity_wd.merit", N_("Publicity of the result (merit)"), "wd"
    )
    award_confirm_wd: int = _parameter(2, "award.confirm_wd", N_("The winner confirms within"), "wd")
    contract_sign_wd: int = _parameter(10, "contract.sign_wd", N_("Contract signed within"), "wd")
    pause_confirm_wd: int = _parameter(
        2, "contract.pause_confirm_wd", N_("A pause of the clock is confirmed within"), "wd"
    )
    question_answer_wd: int = _parameter(
        3, "contract.question_answer_wd", N_("An extension or an end by agreement is answered within"), "wd"
    )
    extension_max_times: int = _parameter(2, "contract.extension_max_times", N_("Extensions of a contract"), "times")
    extension_max_percent: int = _parameter(
        50, "contract.extension_max_percent", N_("All extensions together, of the agreed limit"), "percent"
    )
    breach_cure_wd: int = _parameter(5, "contract.breach_cure_wd", N_("Time to mend a breach"), "wd")
    result_accept_wd: int = _parameter(5, "result.accept_wd", N_("Deliverable accepted or returned within"), "wd")
    filing_auto_close_days: int = _parameter(180, "filing.auto_close_days", N_("Closed by itself after"), "days")
    rating_owner_wd: int = _parameter(3, "rating.owner_wd", N_("Owner rates within"), "wd")
    rating_regulator_wd: int = _parameter(3, "rating.regulator_wd", N_("Regulator rates within"), "wd")
    rating_weights: tuple[int, int, int] = _parameter(
        (5, 3, 2), "rating.weights", N_("Weights of ratings, owner : department : operator"), "ratio"
    )
    rating_default_stars: int = _parameter(
        5, "rating.default_stars", N_("Stars entered when the owner does not rate (0 = none)"), "stars"
    )
    rating_default_weight_percent: int = _parameter(
        50, "rating.default_weight_percent", N_("Weight of a default rating"), "percent"
    )

    # Credit (信用): the published formula CREDIT/1, the grades and what follows from them
    credit_window_days: int = _parameter(365, "credit.window_days", N_("Facts count for"), "days")
    credit_start_percent: int = _parameter(100, "credit.start_percent", N_("Starting value of every mean"), "percent")
    credit_min_ratings: int = _parameter(
        3, "credit.min_ratings", N_("Ratings before a score is more than provisional; weight of the starting value")
    )
    credit_shares: tuple[int, int, int] = _parameter(
        (60, 25, 15), "credit.shares", N_("Points for ratings : performance : conduct"), "points"
    )
    credit_performance_shares: tuple[int, int, int] = _parameter(
        (40, 30, 30), "credit.performance_shares", N_("On time : without rework : passed the first time"), "ratio"
    )
    credit_grades_from: tuple[int, int, int] = _parameter(
        (90, 80, 60), "credit.grades_from", N_("Grades A, B and C from"), "points"
    )
    credit_excluded_grades: tuple[str, ...] = _parameter(
        ("D",), "credit.excluded_grades", N_("Grades that may not register"), choices=("A", "B", "C", "D")
    )
    credit_inspection_percent: tuple[int, int, int, int] = _parameter(
        (5, 10, 30, 100), "credit.inspection_percent", N_("Services inspected, grades A to D"), "percent"
    )

    # Violations (违规): points and terms of the ladder, and the counts that make a finding
    credit_points_light: tuple[int, int] = _parameter((1, 3), "credit.points.light", N_("Light violation"), "points")
    credit_points_general: tuple[int, int] = _parameter(
        (5, 10), "credit.points.general", N_("General violation"), "points"
    )
    credit_points_serious: tuple[int, int] = _parameter(
        (10, 15), "credit.points.serious", N_("Serious violation"), "points"
    )
    credit_suspend_months: tuple[int, int] = _parameter(
        (1, 6), "credit.suspend_months", N_("Suspension for a general violation"), "months"
    )
    credit_suspend_months_serious: tuple[int, int] = _parameter(
        (6, 12), "credit.suspend_months.serious", N_("Suspension for a serious violation"), "months"
    )
    credit_statement_wd: int = _parameter(
        3, "credit.statement_wd", N_("The side concerned states its view within"), "wd"
    )
    credit_appeal_wd: int = _parameter(5, "credit.appeal_wd", N_("Appeal against a rating or a measure within"), "wd")
    credit_appeal_decision_wd: int = _parameter(10, "credit.appeal_decision_wd", N_("Appeal decided within"), "wd")
    credit_quality_complaints: int = _parameter(
        3, "credit.quality_complaints", N_("Verified complaints about quality in a year before a measure"), "times"
    )
    credit_repair_months: int = _parameter(3, "credit.repair_months", N_("Repair of credit after at least"), "months")
    credit_repair_months_serious: int = _parameter(
        12, "credit.repair_months.serious", N_("Repair after a serious violation after at least"), "months"
    )
    credit_repair_publicity_wd: int = _parameter(5, "credit.repair_publicity_wd", N_("Publicity of a repair"), "wd")
    late_general_violation_wd: int = _parameter(
        10, "late.general_violation_wd", N_("Late by more than this is a violation"), "wd"
    )
    giveup_year_limit: int = _parameter(3, "giveup.year_limit", N_("Given-up awards a year before a measure"), "times")

    # Objection, query, complaint: 异议、质疑、投诉
    objection_notice_days: int = _parameter(
        3, "challenge.objection_notice_days", N_("Objection to a notice within"), "days"
    )
    objection_reply_days: int = _parameter(3, "challenge.objection_reply_days", N_("Objection answered within"), "days")
    query_wd: int = _parameter(7, "challenge.query_wd", N_("Query within"), "wd")
    query_reply_wd: int = _parameter(7, "challenge.query_reply_wd", N_("Query answered within"), "wd")
    complaint_wd: int = _parameter(15, "challenge.complaint_wd", N_("Complaint within"), "wd")
    complaint_accept_wd: int = _parameter(
        5, "challenge.complaint_accept_wd", N_("Complaint accepted or not within"), "wd"
    )
    complaint_decide_wd: int = _parameter(30, "challenge.complaint_decide_wd", N_("Complaint decided within"), "wd")
    complaint_extend_wd: int = _parameter(
        30, "challenge.complaint_extend_wd", N_("Decision of a complaint extended at most by"), "wd"
    )
    evidence_wd: int = _parameter(5, "challenge.evidence_wd", N_("The other side answers a complaint within"), "wd")
    off_list_reply_wd: int = _parameter(5, "challenge.off_list_reply_wd", N_("Off-list report answered within"), "wd")
    served_days: int = _parameter(7, "challenge.served_days", N_("A decision counts as served after"), "days")
    open_challenges_limit: int = _parameter(
        20, "challenge.open_limit", N_("Open challenges of one challenger at most"), "challenges"
    )

    # When public bodies pay (支付)
    pay_government_days: int = _parameter(30, "pay.government_days", N_("Public bodies pay within"), "days")
    pay_government_days_max: int = _parameter(
        60, "pay.government_days.max", N_("Public bodies pay within, if the contract says so"), "days"
    )
    pay_late_interest_bp: int = _parameter(5, "pay.late_interest_bp", N_("Interest on late payments a day"), "bp")
    pay_overdue_public_days: int = _parameter(
        30, "pay.overdue_public_days", N_("Unpaid fees are public when overdue by"), "days"
    )

    # Held money, payouts, bank accounts, invoices (资金): the platform is free unless a city says otherwise
    money_platform_fee_bp: int = _parameter(0, "money.platform_fee_bp", N_("Platform fee on released fees"), "bp")
    money_platform_fee_cap_fen: int = _parameter(
        0, "money.platform_fee_cap", N_("Platform fee of one bill at most (0 = no limit)"), "fen"
    )
    money_payout_days: tuple[int, ...] = _parameter(
        (5, 15, 25), "money.payout_days", N_("Payouts are made on these days of the month"), "days"
    )
    money_payout_min_fen: int = _parameter(10_000, "money.payout_min", N_("Smallest payout by the calendar"), "fen")
    money_bank_cooling_days: int = _parameter(
        3, "money.bank_cooling_days", N_("A new bank account is used after"), "days"
    )
    money_invoice_remind_days: int = _parameter(
        7, "money.invoice_remind_days", N_("A missing invoice is asked for after"), "days"
    )
    money_dispute_alarm_days: int = _parameter(
        3, "money.dispute_alarm_days", N_("An unanswered card dispute is an alarm before its date by"), "days"
    )

    # Approval and delivery of its result: 审批、送达
    approval_special_procedure_counts: bool = _parameter(
        False,
        "approval.special_procedure_counts",
        N_("Hearings and expert reviews count into the limit"),
    )
    deliver_serve_wd_after_decision: int = _parameter(
        10, "deliver.serve_wd_after_decision", N_("Certificate served after the decision within"), "wd"
    )
    deliver_serve_alarm_wd: tuple[int, ...] = _parameter(
        (3, 1, 0), "deliver.serve_alarm_wd", N_("Alarms before the last day of service"), "wd"
    )
    deliver_fee_modes: tuple[str, ...] = _parameter(
        ("government",),
        "deliver.fee_modes",
        N_("Ways of paying the postage that are offered"),
        choices=("government", "prepaid", "on_delivery"),
    )
    deliver_packing_waits_for_fee: bool = _parameter(
        True, "deliver.packing_waits_for_fee", N_("Packing waits for a prepaid postage")
    )
    deliver_code_tries: int = _parameter(5, "deliver.code_tries", N_("Wrong pick-up codes until it is locked"), "times")
    deliver_letter_longest_days: int = _parameter(
        90, "deliver.letter_longest_days", N_("A letter of authority holds at most"), "days"
    )
    deliver_complaint_reply_wd: int = _parameter(
        5, "deliver.complaint_reply_wd", N_("A delivery complaint is answered within"), "wd"
    )
    deliver_complaint_close_days: int = _parameter(
        10, "deliver.complaint_close_days", N_("An answered delivery complaint closes after"), "days"
    )
    deliver_receiver_seen_days: int = _parameter(
        30, "deliver.receiver_seen_days", N_("Staff see a receiver after the delivery for"), "days"
    )
    deliver_receiver_kept_days: int = _parameter(
        180, "deliver.receiver_kept_days", N_("A receiver is erased after the end of a delivery by"), "days"
    )
    deliver_link_days: int = _parameter(60, "deliver.link_days", N_("A receiver's link holds for"), "days")
    deliver_choose_day_days: int = _parameter(
        7, "deliver.choose_day_days", N_("A receiver chooses a day at most ahead by"), "days"
    )
    deliver_attempts: int = _parameter(
        3, "deliver.attempts", N_("Failed attempts until a person decides what follows"), "times"
    )
    deliver_silence_closes_days: int = _parameter(
        10, "deliver.silence_closes_days", N_("A delivery that nobody objects to closes after"), "days"
    )
    deliver_collection_notice_minutes: int = _parameter(
        30, "deliver.collection_notice_minutes", N_("The post is told before the carrier comes by"), "minutes"
    )
    deliver_round_stops: int = _parameter(200, "deliver.round_stops", N_("Stops of a courier's round at most"))
    deliver_point_kept_days: int = _parameter(
        7, "deliver.point_kept_days", N_("A collection point keeps a parcel for"), "days"
    )
    deliver_not_collected_hours: int = _parameter(
        24, "deliver.not_collected_hours", N_("A handed-over parcel that the carrier does not report is looked at after"), "hours"
    )  # fmt: skip
    deliver_stalled_hours: int = _parameter(
        72, "deliver.stalled_hours", N_("A parcel under way that fell silent is looked at after"), "hours"
    )
    deliver_return_kept_days: int = _parameter(
        7, "deliver.return_kept_days", N_("A returned parcel waits for its receiver at the hall for"), "days"
    )
    deliver_claim_answer_days: int = _parameter(
        7, "deliver.claim_answer_days", N_("The carrier answers a claim within"), "days"
    )

    # Shelf (上架): by default the agency's commitment suffices, as where the agency answers for the truth of its offer
    listing_review: bool = _parameter(False, "listing.review", N_("The operator reviews an offer before it is shown"))
    listing_valid_days: int = _parameter(365, "listing.valid_days", N_("An offer stays on the shelf at most"), "days")
    listing_reminder_days: tuple[int, ...] = _parameter(
        (30, 7), "listing.reminder_days", N_("Reminders before an offer leaves the shelf"), "days"
    )

    # Search (检索): weights of the ranking; published, no paid placement
    search_title_weight: float = _parameter(3.0, "search.title_weight", N_("Weight of the service name"))
    search_name_weight: float = _parameter(2.0, "search.name_weight", N_("Weight of agency and category"))
    search_text_weight: float = _parameter(1.0, "search.text_weight", N_("Weight of the description"))
    search_on_time_weight: float = _parameter(0.15, "search.on_time_weight", N_("Weight of the on-time record"))
    search_rating_weight: float = _parameter(0.15, "search.rating_weight", N_("Weight of the rating"))
    search_grade_weight: float = _parameter(0.1, "search.grade_weight", N_("Weight of the credit grade"))
    search_saved_most: int = _parameter(20, "search.saved_most", N_("Saved searches a person may keep"), "searches")
    search_freshness_weight: float = _parameter(0.05, "search.freshness_weight", N_("Weight of freshness"))

    def as_parameters(self) -> dict[str, object]:
        """Every parameter by its key, in plain JSON values: what a version in the database holds."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in ((f.metadata["key"], getattr(self, f.name)) for f in fields(self) if f.metadata)
        }


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a page shows about one parameter. `label` is a message id, `name` its field of `RuleBook`.

    `choices` are the words that a list of words may hold.
    """

    name: str
    key: str
    label: str
    unit: str
    default: object
    choices: tuple[str, ...] = ()


PARAMETERS: Final[tuple[Parameter, ...]] = tuple(
    Parameter(f.name, f.metadata["key"], f.metadata["label"], f.metadata["unit"], f.default, f.metadata["choices"])
    for f in fields(RuleBook)
    if f.metadata
)

_NAME_OF_KEY: Final = {f.metadata["key"]: f.name for f in fields(RuleBook) if f.metadata}


def rule_book_of(version: int, parameters: Mapping[str, object]) -> RuleBook:
    """The rule book stored as `parameters`; a key it does not name keeps its default.

    Raises KeyError for a key no rule knows: a misspelt parameter must not silently do nothing.
    """
    values = {
        _NAME_OF_KEY[key]: tuple(value) if isinstance(value, list) else value for key, value in parameters.items()
    }
    return RuleBook(version=version, **values)  # type: ignore[arg-type]  # the stored values were checked when published


DEFAULT_RULE_BOOK: Final = RuleBook()
