"""What the rule book says about delivery, for the domain below, which cannot read the rule book itself."""

from delivery import rules
from delivery.terms import DEFAULTS, LONGEST_KEPT, Terms
from marketplace.queries.rulebooks import rule_book_in_force


def delivery_terms() -> Terms:
    """The terms of delivery of today's rule book."""
    book = rule_book_in_force()
    return Terms(
        serve_alarm_wd=book.deliver_serve_alarm_wd,
        fee_modes=book.deliver_fee_modes or DEFAULTS.fee_modes,
        packing_waits_for_fee=book.deliver_packing_waits_for_fee,
        code_tries=max(book.deliver_code_tries, 1),
        letter_longest_days=book.deliver_letter_longest_days,
        complaint_reply_wd=book.deliver_complaint_reply_wd,
        complaint_close_days=book.deliver_complaint_close_days,
        receiver_seen_days=book.deliver_receiver_seen_days,
        receiver_kept_days=book.deliver_receiver_kept_days,
        link_days=book.deliver_link_days,
        choose_day_days=max(book.deliver_choose_day_days, 1),
        attempts=max(book.deliver_attempts, 1),
        silence_closes_days=max(book.deliver_silence_closes_days, rules.WATCH_AFTER_END.days + 1),
        collection_notice_minutes=book.deliver_collection_notice_minutes,
        round_stops=max(book.deliver_round_stops, 1),
        point_kept_days=min(max(book.deliver_point_kept_days, 1), LONGEST_KEPT),
        not_collected_hours=max(book.deliver_not_collected_hours, 1),
        stalled_hours=max(book.deliver_stalled_hours, 1),
        return_kept_days=max(book.deliver_return_kept_days, 1),
        claim_answer_days=max(book.deliver_claim_answer_days, 1),
    )
