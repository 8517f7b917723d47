"""Admission: file, form check, publicity, admission by the clock, certificates."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.kernel import clock
from app.kernel.access import Actor, Role
from app.kernel.db import db
from app.kernel.errors import Conflict, IllegalTransition, NotAllowed, NotFound, Refused
from app.web.schemas import Plain, WithReason
from marketplace.models.agencies import Agency, Qualification
from marketplace.queries import admission
from marketplace.rules.onboarding import InvalidCreditCode, normal_credit_code
from marketplace.rules.qualifications import Certificate, meets
from marketplace.services import agencies
from tests.builders import a_member
from tests.marketplace.market import (
    a_complete_file,
    a_credit_code,
    a_paper,
    an_admitted_agency,
    an_agency_member,
    particulars,
    settle,
)

FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)  # 10:00 in Beijing


def _agency(agency_id: UUID) -> Agency:
    found = db.session.get(Agency, agency_id, populate_existing=True)
    assert found is not None
    return found


def test_a_file_goes_from_draft_to_the_directory(app: Flask) -> None:
    actor = an_agency_member()
    operator = a_member(Role.OPERATOR)
    with clock.at(FRIDAY):
        agency_id = a_complete_file(actor)
        agencies.submit(actor, agency_id, Plain())
        agency = _agency(agency_id)
        # two working days after Friday: Tuesday, the last second of the Beijing day
        assert (agency.state, agency.check_due_at) == ("submitted", datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC))
        agencies.pass_check(operator, agency_id, agencies.PassCheck())
        agency = _agency(agency_id)
        assert (agency.state, agency.publicity_ends_at) == ("publicity", datetime(2026, 11, 27, 15, 59, 59, tzinfo=UTC))
        assert agencies.admit_due() == 0
    with clock.at(datetime(2026, 11, 27, 15, 59, 58, tzinfo=UTC)):
        assert agencies.admit_due() == 0
    with clock.at(datetime(2026, 11, 27, 16, 0, tzinfo=UTC)):
        assert agencies.admit_due() == 1
        assert agencies.admit_due() == 0
    agency = _agency(agency_id)
    assert (agency.state, agency.admitted_at) == ("active", datetime(2026, 11, 27, 16, 0, tzinfo=UTC))
    file = admission.admission_file(actor, agency_id)
    assert [(c.round, c.outcome) for c in file.checks] == [(1, "passed")]
    assert {c.state for c in file.certificates} == {"valid"}


def test_no_publicity_means_admission_at_once(app: Flask) -> None:
    from app.kernel.db import transaction
    from marketplace.models.rulebook import RuleBookVersion

    with transaction() as session:
        session.add(
            RuleBookVersion(
                version=2,
                parameters={"onboarding.publicity_wd": 0},
                effective_from=date(2020, 1, 1),
                published_at=clock.now(),
            )
        )
    actor = an_agency_member()
    agency_id = a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    agencies.pass_check(a_member(Role.OPERATOR), agency_id, agencies.PassCheck())
    assert _agency(agency_id).state == "active"
    assert _agency(agency_id).rule_book_version == 2


def test_an_incomplete_file_names_what_is_missing(app: Flask) -> None:
    actor = an_agency_member()
    agency_id = agencies.open_file(actor, particulars())
    with pytest.raises(Refused) as refusal:
        agencies.submit(actor, agency_id, Plain())
    assert refusal.value.extra["missing"] == [
        "representative",
        "licence",
        "representative_id",
        "commitment",
        "promise",
    ]
    assert (_agency(agency_id).state, _agency(agency_id).submitted_at) == ("draft", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uscc": "91320100MA0000001X"}, "uscc"),
        ({"uscc": "123"}, "uscc"),
        ({"kind": "nonsense"}, "kind"),
        ({"region_code": "999999"}, "region_code"),
    ],
)
def test_wrong_particulars_are_refused_at_their_field(app: Flask, changes: dict[str, str], field: str) -> None:
    actor = an_agency_member()
    with pytest.raises(Refused) as refusal:
        agencies.open_file(actor, replace(particulars(), **changes))
    assert refusal.value.field == field
    assert db.session.query(Agency).count() == 0


def test_a_credit_code_is_used_once_and_a_file_is_opened_once(app: Flask) -> None:
    code = a_credit_code()
    first = an_agency_member()
    agencies.open_file(first, particulars(uscc=code))
    with pytest.raises(Conflict) as again:
        agencies.open_file(first, particulars())
    assert again.value.code == "file-exists"
    with pytest.raises(Conflict) as taken:
        agencies.open_file(an_agency_member(), particulars(uscc=code.lower()))
    assert taken.value.code == "credit-code-taken"


def test_return_needs_a_reason_and_keeps_it(app: Flask) -> None:
    actor = an_agency_member()
    operator = a_member(Role.OPERATOR)
    agency_id = a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    with pytest.raises(Refused):
        agencies.return_file(operator, agency_id, WithReason(" "))
    assert _agency(agency_id).state == "submitted"
    assert admission.admission_file(operator, agency_id).checks == ()
    agencies.return_file(operator, agency_id, WithReason("营业执照扫描件不清晰"))
    file = admission.admission_file(actor, agency_id)
    assert (file.state, file.checks[0].reason) == ("returned", "营业执照扫描件不清晰")
    agencies.add_document(actor, agency_id, agencies.AddDocument("licence", a_paper("新.png")))
    agencies.submit(actor, agency_id, Plain())
    agencies.reject(operator, agency_id, WithReason("近两年有不良记录"))
    assert [(c.round, c.outcome) for c in admission.admission_file(actor, agency_id).checks] == [
        (2, "rejected"),
        (1, "returned"),
    ]


def test_while_the_operator_checks_the_file_does_not_move(app: Flask) -> None:
    actor = an_agency_member()
    agency_id = a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    for attempt in (
        lambda: agencies.change_particulars(actor, agency_id, particulars()),
        lambda: agencies.add_document(actor, agency_id, agencies.AddDocument("licence", a_paper())),
        lambda: agencies.add_qualification(actor, agency_id, agencies.AddQualification("cma", "1")),
    ):
        with pytest.raises(Conflict) as refusal:
            attempt()
        assert refusal.value.code == "file-closed"
    with pytest.raises(IllegalTransition):
        agencies.submit(actor, agency_id, Plain())


def test_another_agency_and_the_wrong_role_get_nowhere(app: Flask) -> None:
    actor = an_agency_member()
    agency_id = a_complete_file(actor)
    stranger = an_agency_member()
    with pytest.raises(NotFound):
        agencies.submit(stranger, agency_id, Plain())
    with pytest.raises(NotFound):
        admission.admission_file(stranger, agency_id)
    with pytest.raises(NotAllowed):
        agencies.submit(a_member(Role.OPERATOR), agency_id, Plain())
    agencies.submit(actor, agency_id, Plain())
    for nobody in (actor, stranger, a_member(Role.OWNER), a_member(Role.REGULATOR)):
        with pytest.raises(NotAllowed):
            agencies.pass_check(nobody, agency_id, agencies.PassCheck())
    assert _agency(agency_id).state == "submitted"


def test_passing_without_accepting_certificates_waits_for_each(app: Flask) -> None:
    actor = an_agency_member()
    operator = a_member(Role.OPERATOR)
    agency_id = a_complete_file(actor)
    agencies.submit(actor, agency_id, Plain())
    with pytest.raises(Conflict) as refusal:
        agencies.pass_check(operator, agency_id, agencies.PassCheck(accept_certificates=False))
    assert refusal.value.code == "certificates-unchecked"
    certificate = admission.certificates_of(agency_id)[0]
    agencies.accept_qualification(operator, certificate.id, Plain())
    agencies.pass_check(operator, agency_id, agencies.PassCheck(accept_certificates=False))
    assert _agency(agency_id).state == "publicity"


def _certificate(actor: Actor, agency_id: UUID, expires_on: date) -> UUID:
    return agencies.add_qualification(
        actor, agency_id, agencies.AddQualification("cma", "CMA-2031", expires_on=expires_on, file=a_paper())
    )


def test_a_certificate_expires_after_its_last_day_and_is_announced_before(app: Flask) -> None:
    with clock.at(FRIDAY):
        actor, agency_id = an_admitted_agency(certificates=())
        operator = a_member(Role.OPERATOR)
        certificate_id = _certificate(actor, agency_id, date(2026, 12, 31))
        agencies.accept_qualification(operator, certificate_id, Plain())
        assert agencies.remind_of_expiry() == 1  # 41 days left: the 60-day reminder
        assert agencies.remind_of_expiry() == 0
    with clock.at(datetime(2026, 12, 25, 2, tzinfo=UTC)):
        assert agencies.remind_of_expiry() == 1  # 6 days left
    with clock.at(datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)):
        assert agencies.expire_due() == 0
    with clock.at(datetime(2026, 12, 31, 16, 0, tzinfo=UTC)):
        assert agencies.expire_due() == 1
        assert agencies.expire_due() == 0
    found = db.session.get(Qualification, certificate_id, populate_existing=True)
    assert found is not None
    assert found.state == "expired"


def test_an_expired_certificate_is_not_entered(app: Flask) -> None:
    actor = an_agency_member()
    agency_id = agencies.open_file(actor, particulars())
    with pytest.raises(Refused) as refusal:
        _certificate(actor, agency_id, clock.today() - timedelta(days=1))
    assert refusal.value.field == "expires_on"
    assert admission.certificates_of(agency_id) == ()


def test_suspension_and_exit(app: Flask) -> None:
    actor, agency_id = an_admitted_agency()
    with pytest.raises(NotAllowed):
        agencies.suspend(actor, agency_id, agencies.Measure("x"))
    agencies.suspend(a_member(Role.REGULATOR), agency_id, agencies.Measure("核查投诉"))
    assert _agency(agency_id).state == "suspended"
    agencies.restore(a_member(Role.OPERATOR), agency_id, WithReason("投诉不成立"))
    settle()
    agencies.ask_exit(actor, agency_id, WithReason("停业"))
    assert _agency(agency_id).state == "exited"


@given(st.text(alphabet="0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18), st.integers(0, 17))
def test_one_changed_character_breaks_a_credit_code(text: str, place: int) -> None:
    code = a_credit_code()
    changed = code[:place] + text[place] + code[place + 1 :]
    if changed == code:
        assert normal_credit_code(f" {code.lower()} ") == code
        return
    with pytest.raises(InvalidCreditCode):
        normal_credit_code(changed)


TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("rule", "certificates", "expected", "causes"),
    [
        ({}, [], True, []),
        ({"kind": "cma"}, [], False, ["missing"]),
        ({"kind": "mapping", "grade": "B"}, [("mapping", "A", TODAY, True)], True, []),
        ({"kind": "mapping", "grade": "B"}, [("mapping", "C", None, True)], False, ["grade"]),
        ({"kind": "mapping", "grade": "B"}, [("mapping", "", None, True)], False, ["grade"]),
        ({"kind": "cma"}, [("cma", "", TODAY - timedelta(days=1), True)], False, ["expired"]),
        ({"kind": "cma"}, [("cma", "", None, False)], False, ["unchecked"]),
        ({"all": [{"kind": "cma"}, {"kind": "mapping"}]}, [("cma", "", None, True)], False, ["missing"]),
        ({"any": [{"kind": "cma"}, {"kind": "mapping"}]}, [("cma", "", None, True)], True, []),
        (
            {"all": [{"kind": "sea_use"}, {"any": [{"kind": "cma"}, {"kind": "mapping", "grade": "B"}]}]},
            [("sea_use", "", None, True), ("mapping", "A", None, True)],
            True,
            [],
        ),
    ],
)
def test_the_qualification_rule(
    rule: dict[str, object], certificates: list[tuple[str, str, date | None, bool]], expected: bool, causes: list[str]
) -> None:
    decision = meets(rule, [Certificate(*c) for c in certificates], TODAY)
    assert decision.is_eligible is expected
    assert [r.cause for r in decision.unmet] == causes
