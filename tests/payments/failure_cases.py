"""Every way in which paying can go wrong that is named in the design, and the test that holds it."""

SERVICES = "tests/payments/test_payment_services.py"
NETWORK = "tests/payments/test_bad_network.py"
INPUT = "tests/payments/test_bad_input.py"
RACES = "tests/payments/test_races.py"
KILL = "tests/payments/test_kill.py"
PAGES = "tests/payments/test_payment_pages.py"
SIMULATOR = "tests/payments/simulator/test_behaviour.py"
PROCESS = "tests/payments/simulator/test_process.py"
OUTGOING = "tests/payments/test_outgoing.py"
HELD = "tests/payments/test_held_money.py"

_ANSWER = f"{NETWORK}::test_a_lost_or_broken_answer_leaves_one_session_and_finishes_later"
_FORGED = f"{SERVICES}::test_forged_late_and_future_notices_are_refused_and_store_nothing"

CASES: dict[str, str] = {
    "timeout after the charge": _ANSWER,
    "timeout before it": _ANSWER,
    "500 after": _ANSWER,
    "500 that the provider remembers": f"{NETWORK}::test_a_failure_that_the_provider_remembers_is_looked_up_once_the_key_is_old",
    "one attempt that gets no answer": f"{NETWORK}::test_one_attempt_without_an_answer_keeps_no_other_waiting",
    "provider away": f"{NETWORK}::test_a_gateway_that_is_away_is_not_asked_about_everything",
    "409": _ANSWER,
    "429": _ANSWER,
    "connection dropped": _ANSWER,
    "application killed between the two transactions": f"{KILL}::test_killed_at_every_pass_of_every_point_it_finishes_later",
    "key older than a day": f"{SERVICES}::test_a_request_older_than_its_key_is_looked_up_and_never_sent_again",
    "request that never arrived": f"{SERVICES}::test_a_request_that_never_arrived_and_is_too_old_fails_so_that_the_payer_can_start_again",
    "webhook thrice": f"{SERVICES}::test_shuffled_and_repeated_notices_give_one_posting",
    "success told before the creation": f"{NETWORK}::test_a_success_told_before_the_creation_and_thrice_is_one_posting",
    "refund told of before its answer": f"{NETWORK}::test_a_refund_told_of_before_its_own_answer_is_known_once",
    "webhook about an unknown object": f"{SERVICES}::test_a_notice_about_nothing_of_ours_is_kept_and_done",
    "wrong secret": _FORGED,
    "old timestamp": _FORGED,
    "timestamp from the future": _FORGED,
    "tampered body": _FORGED,
    "empty body": _FORGED,
    "thin event": _FORGED,
    "body of a megabyte": f"{PAGES}::test_the_notice_address_refuses_what_is_not_the_providers",
    "rotated secret": f"{SERVICES}::test_a_rotated_secret_keeps_the_previous_one_valid",
    "events lost for an hour": f"{NETWORK}::test_events_lost_for_an_hour_are_recalled",
    "silent payment": f"{SERVICES}::test_lost_notices_are_recalled_and_silent_attempts_followed_up",
    "double click in two tabs": f"{SERVICES}::test_double_click_and_two_tabs_meet_one_live_attempt",
    "double click in two processes": f"{RACES}::test_eight_clicks_make_one_attempt",
    "fifty deliveries of one settlement": f"{RACES}::test_fifty_deliveries_of_one_settlement_make_one_posting",
    "fifty deliveries of one refund": f"{RACES}::test_fifty_deliveries_of_one_refund_make_one_posting",
    "fifty deliveries of one transfer": f"{RACES}::test_fifty_deliveries_of_one_transfer_make_one_posting",
    "two sessions paid for one bill": f"{SERVICES}::test_late_success_of_a_bill_paid_otherwise_goes_to_suspense_and_a_refund_is_asked_for",
    "paid after cancelling": f"{SERVICES}::test_cancelling_what_was_paid_a_moment_ago_takes_the_success_over",
    "paid after expiry": f"{SERVICES}::test_late_success_after_expiry_is_credited_while_the_bill_is_open",
    "another amount": f"{SERVICES}::test_a_wrong_amount_goes_to_suspense_and_the_bill_stays_due",
    "another currency": f"{INPUT}::test_a_session_in_another_currency_is_set_aside_and_credits_nothing",
    "refund while acceptance runs": f"{RACES}::test_release_and_refund_have_one_winner",
    "refund that fails after its success": f"{SERVICES}::test_a_refund_that_comes_back_after_success_is_held_again",
    "partial refunds in eight threads": f"{RACES}::test_eight_partial_refunds_have_one_winner",
    "refund after payout": f"{OUTGOING}::test_a_refund_after_a_payout_calls_the_transfer_back_or_leaves_a_debt",
    "refund after release": f"{HELD}::test_a_refund_after_release_takes_the_balance_then_makes_a_debt_that_is_withheld",
    "transfer above the settled balance": f"{OUTGOING}::test_balance_that_has_not_settled_stays_and_is_tried_again",
    "payout that the bank sends back": f"{OUTGOING}::test_a_bank_that_refuses_puts_the_money_back",
    "dispute while money is held": f"{OUTGOING}::test_a_dispute_is_answered_and_decided",
    "dispute after release": f"{OUTGOING}::test_a_dispute_after_release_blocks_payouts",
    "dispute after payout": f"{OUTGOING}::test_a_dispute_after_a_payout_that_is_lost_leaves_a_debt",
    "fen edges": f"{SERVICES}::test_fen_edges",
    "above what one session takes": f"{SERVICES}::test_an_amount_above_one_session_is_refused_before_anything_is_written",
    "zero and less": f"{INPUT}::test_a_bill_over_no_amount_is_refused_before_anything_is_written",
    "1.005 yuan": f"{INPUT}::test_the_edge_takes_yuan_with_two_decimals_and_nothing_else",
    "no amount in the database": f"{INPUT}::test_the_database_refuses_what_is_no_amount",
    "objects of the package that are no dictionaries": f"{NETWORK}::test_an_absent_field_is_no_error_and_the_packages_objects_are_no_dictionaries",
    "proxy and netrc": f"{PROCESS}::test_the_adapter_over_http",
    "start without a network": f"{NETWORK}::test_the_application_starts_and_bills_without_a_provider",
    "simulator restarted": f"{SIMULATOR}::test_a_restart_keeps_everything",
    "live key against the simulator": f"{SIMULATOR}::test_only_test_keys",
    "live key in the simulator's surroundings": f"{PROCESS}::test_it_does_not_start_near_real_money_or_in_reach_of_others",
    "card data and secrets": f"{INPUT}::test_card_data_secrets_and_payers_reach_neither_database_nor_logs",
    "floating point": f"{INPUT}::test_no_float_anywhere_in_money_code",
}
"""Case -> `file::test`. A case without its test fails `test_failure_cases.py`."""
