"""Where each of the nine groups of tests that the simulator must make possible is proved (EMS-PROTOCOL 8.7)."""

import ast
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = Path(__file__).parent
GROUPS: Final = {
    "1 vectors A, B, C; SM4 self-test; encrypt then decrypt": ("test_codec.py",),
    "2 lost reply on create leaves exactly one live order": (
        "test_services.py::test_a_lost_reply_makes_exactly_one_live_waybill",
        "test_services.py::test_a_second_number_is_cancelled_when_it_becomes_known",
        "test_faults.py::test_every_fault_of_a_booking_ends_with_one_live_number",
        "test_faults.py::test_a_repeated_order_that_is_refused_or_doubled_goes_before_a_person_or_is_cancelled",
    ),
    "3 every fault leaves a defined state and a message that is understood": (
        "test_faults.py::test_the_table_names_every_fault",
        "test_faults.py::test_every_fault_of_a_booking_ends_with_one_live_number",
        "test_faults.py::test_no_fault_of_a_label_stops_the_parcel",
        "test_faults.py::test_every_fault_of_a_query_leaves_a_status_that_the_next_query_mends",
        "test_faults.py::test_no_fault_of_a_push_changes_a_status_and_every_parcel_ends_as_its_carrier_says",
        "test_faults.py::test_a_wrong_clock_over_there_changes_no_status",
    ),
    "4 push storm and polling end where polling alone ends; order and repetition do not matter": (
        "test_web.py::test_a_push_storm_ends_where_polling_alone_ends",
        "test_observed.py::test_order_and_repetition_do_not_matter",
        "test_observed.py::test_any_arrival_of_a_whole_story_folds_alike",
    ),
    "5 743 after 704 reopens and corrects once": (
        "test_services.py::test_a_revoked_delivery_reopens_and_the_applicant_is_corrected_once",
        "test_services.py::test_revoked_and_delivered_again_between_two_polls",
    ),
    "6 a forged or re-spliced push never changes state": (
        "test_web.py::test_a_forged_notice_never_changes_the_state_and_is_noticed",
        "test_faults.py::test_no_fault_of_a_push_changes_a_status_and_every_parcel_ends_as_its_carrier_says",
    ),
    "7 delivery codes 161 and 50 raise a task": ("test_services.py::test_a_delivery_not_in_person_asks_staff",),
    "8 keys, telephones and identity numbers are in no log": (
        "test_ems_client.py::test_keys_phones_and_addresses_are_in_no_log_and_no_repr",
        "test_services.py::test_no_telephone_number_of_a_courier_is_stored_in_what_is_shown",
        "test_simulator.py::test_customers_are_shown_without_their_secrets",
    ),
    "9 one contract for every carrier, the real sandbox where there are credentials": ("test_carrier_contract.py",),
}


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_is_proved_by_tests_that_exist(group: str) -> None:
    for name in GROUPS[group]:
        file, _, function = name.partition("::")
        tree = ast.parse((FOLDER / file).read_text(encoding="utf-8"))
        known = {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
        assert function in known or (not function and any(each.startswith("test_") for each in known)), name
