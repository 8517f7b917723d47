"""The working-day calendar as people read it, and a year entered by one person and approved by another."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from app.kernel import work_calendar

AsRole = Callable[..., FlaskClient]
FORM = {
    "year": "2027",
    "notice": "国办发明电〔2026〕8号",
    "off": "2027-01-01\n2027-01-04",
    "working_weekends": "2027-01-03",
}


def test_everybody_reads_a_year_with_its_make_up_days(client: FlaskClient) -> None:
    page = client.get("/working-days?year=2026").get_data(as_text=True)
    assert "248 个工作日" in page
    document = client.get("/api/working-days/2026").get_json()
    assert document["working_days"] == 248
    assert "2026-10-10" in document["working_weekends"]
    assert "2026-10-01" in document["off"]
    assert document["provisional"] is False


def test_the_coming_year_is_marked_provisional_and_a_later_one_is_unknown(client: FlaskClient) -> None:
    assert "尚未" in client.get("/working-days?year=2027").get_data(as_text=True)
    assert client.get("/working-days?year=2040").status_code == 404
    assert client.get("/api/working-days/2040").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("off", "2026-12-31"),
        ("off", "heute"),
        ("working_weekends", "2027-01-05"),
        ("working_weekends", "2027-01-01"),
        ("notice", ""),
    ],
)
def test_a_table_that_cannot_be_right_is_refused_and_kept_as_typed(as_role: AsRole, field: str, value: str) -> None:
    answer = as_role("operator").post("/working-days/enter", data={**FORM, field: value})
    assert answer.status_code == 422
    assert "2027" in answer.get_data(as_text=True)
    assert work_calendar.entered_years() == ()


def test_one_enters_another_approves(as_role: AsRole, client: FlaskClient) -> None:
    operator = as_role("operator")
    assert operator.post("/working-days/enter", data=FORM).headers["Location"] == "/working-days/2027/compare"
    assert operator.post("/working-days/2027/approve").status_code == 422
    assert as_role("owner").post("/working-days/2027/approve").status_code == 403
    assert "2027-01-03" not in client.get("/api/working-days/2027").get_json()["working_weekends"]
    regulator = as_role("regulator")
    assert regulator.get("/working-days/2027/compare").status_code == 200
    assert regulator.post("/working-days/2027/approve").status_code == 303
    document = client.get("/api/working-days/2027").get_json()
    assert (document["off"], document["working_weekends"]) == (["2027-01-01", "2027-01-04"], ["2027-01-03"])
    assert document["source"] == FORM["notice"]
    assert operator.post("/working-days/enter", data=FORM).status_code == 409
