"""The whole way once, over HTTP, through real processes: from a published notice to the courier's signature."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urljoin

import pytest
from reportlab.pdfgen.canvas import Canvas

from app.kernel.calendar import WorkCalendar
from app.kernel.clock import BEIJING
from tests.journeys.person import Person
from tests.processes import ROOT, Product, running_product
from tests.servers import a_database

pytestmark = [pytest.mark.journey, pytest.mark.postgresql]

ITEM = "地质灾害危险性评估"
AGENCY = "华岳岩土工程咨询有限公司"
PASSWORD = "correct horse battery staple 42"
CREDIT_CODE = "91320706MADEM0007T"
PRICE = "18600.00"


@pytest.fixture(scope="module")
def product(database_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data = tmp_path_factory.mktemp("journey")
    url = "" if database_kind == "sqlite" else a_database()
    with running_product(data, url) as running:
        yield running


@dataclass
class Story:
    """The people of the story, and where the things of it are."""

    product: Product
    people: dict[str, Person] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)
    make: Callable[[str, str], Person] = (
        Person  # how these people look at the product; the browser tests give them Chromium
    )

    def visitor(self) -> Person:
        return self.make(self.product.url, "visitor")

    def person(self, role: str) -> Person:
        """The demonstration account of `role`, signed in again when the clock has ended its session."""
        known = self.people.get(role)
        if known is None:
            known = self.people[role] = self.make(self.product.url, role)
        if known.http.get(f"{self.product.url}/workbench", allow_redirects=False, timeout=30).status_code != 200:
            page = known.open("/dev/sign-in")
            mark = page.find(attrs={"data-role": role})
            assert mark is not None, f"no demonstration account for {role}"
            form = mark.find_parent("form")
            assert form is not None
            known.send(form)
        return known

    def boss(self) -> Person:
        """The agency's own person, who signs in with mail address and password."""
        person = self.people["boss"]
        if person.http.get(f"{self.product.url}/workbench", allow_redirects=False, timeout=30).status_code != 200:
            person.open("/sign-in")
            person.press("Sign in", email=self.at["mail"], password=PASSWORD)
        return person

    def working_days_on(self, days: int, hour: int = 10) -> datetime:
        """Ten o'clock in Beijing, `days` working days after today of the product."""
        today = self.product.now().astimezone(BEIJING).date()
        day = WorkCalendar().add_working_days(today, days)
        return datetime(day.year, day.month, day.day, hour, tzinfo=BEIJING)

    def let_pass(self, working_days: int) -> None:
        self.product.move_clock_to(self.working_days_on(working_days))


def a_pdf(text: str) -> bytes:
    stream = io.BytesIO()
    canvas = Canvas(stream)
    canvas.drawString(72, 720, text)
    canvas.save()
    return stream.getvalue()


def id_in(path: str) -> str:
    found = re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", path)
    assert found is not None, path
    return found[0]


def test_from_the_notice_to_the_doorstep(product: Product) -> None:
    play(Story(product))


def play(story: Story) -> None:
    the_list_is_public(story)
    an_agency_signs_up(story)
    a_second_agency_comes_in_over_the_api(story)
    the_operator_admits_it(story)
    it_puts_an_offer_on_its_shelf(story)
    the_second_offers_over_the_api(story)
    anyone_finds_it(story)
    a_case_demands_the_service(story)
    the_owner_publishes_a_notice(story)
    agencies_register(story)
    the_draw_can_be_recomputed(story)
    both_sides_sign(story)
    the_owner_pays(story)
    the_deliverable_is_accepted(story)
    the_case_is_decided(story)
    the_courier_delivers(story)
    the_timeline_tells_all(story)


def the_list_is_public(story: Story) -> None:
    visitor = story.visitor()
    names = {item["name"] for item in visitor.api("GET", "/api/service-items")["items"]}
    assert len(names) == 62
    assert ITEM in names
    visitor.open("/services")
    visitor.follow("Geological hazard risk assessment")
    visitor.sees("《地质灾害防治条例》第21、22条")
    visitor.sees("15")


def an_agency_signs_up(story: Story) -> None:
    mail = "qin.lang2@huayue.example"
    story.at["mail"] = mail
    boss = story.people["boss"] = story.make(story.product.url, "boss")
    boss.open("/register")
    boss.press("Register", name="秦朗", email=mail, password=PASSWORD)
    boss.open("/dev/mail")
    mails = [str(a["href"]) for a in boss.page.find_all("a", href=True) if "/dev/mail/" in str(a["href"])]
    boss.open(mails[0])
    link = re.search(r"/confirm-address/[^\s\"<]+", boss.response.text)
    assert link is not None
    boss.open(link[0])
    boss.press("Yes, this is my address")
    boss.open("/sign-in")
    boss.press("Sign in", email=mail, password=PASSWORD)
    boss.open("/account/organisations/new")
    boss.press("Set up", kind="agency", name=AGENCY, uscc="91320706MADEM00001", status=422)
    boss.sees("This is not a unified social credit code")
    boss.press("Set up", kind="agency", name=AGENCY, uscc=CREDIT_CODE, region_code="320706")
    boss.open("/agency/particulars")
    boss.press(
        "Save and continue",
        name=AGENCY,
        uscc=CREDIT_CODE,
        kind="enterprise",
        region_code="320706",
        address="滨河大道88号3幢501室",
        legal_representative="秦朗",
        contact_name="秦朗",
        contact_mobile="13900000001",
        contact_email=mail,
    )
    boss.open("/agency/representative")
    boss.press("Save and continue", name="秦朗", id_number="320706198001010014", mobile="13900000001")
    boss.open("/agency")
    story.at["file"] = boss.path
    for kind in ("licence", "representative_id", "commitment"):
        boss.open("/agency/documents")
        boss.press("Save", files={"file": (f"{kind}.pdf", a_pdf(kind), "application/pdf")}, kind=kind)
    boss.open("/agency/qualifications")
    boss.press("Save", kind="geohazard", grade="A", number="DZ-2026-0001", expires_on="2029-12-31")
    boss.open("/agency/commitment")
    boss.press("Sign the commitment")
    boss.press("Submit for the form check")


def a_second_agency_comes_in_over_the_api(story: Story) -> None:
    agency = story.person("agency")
    page = agency.open("/agency/particulars")
    own = {name: str(page.find("input", attrs={"name": name})["value"]) for name in ("name", "uscc")}
    file = agency.api(
        "POST",
        "/api/agency",
        201,
        json={
            "name": own["name"],
            "uscc": own["uscc"],
            "kind": "enterprise",
            "region_code": "320706",
            "address": "海州大道9号",
            "legal_representative": "林思远",
            "contact_name": "林思远",
            "contact_mobile": "13900000002",
            "contact_email": "lin@lingnan.example",
        },
    )
    person = {"name": "林岚", "id_number": "320706198001010022"}
    agency.api("PUT", "/api/agency/representative", json=person)
    for kind in ("licence", "representative_id", "commitment"):
        paper = {"file": (f"{kind}.pdf", a_pdf(kind), "application/pdf")}
        agency.api("POST", "/api/agency/documents", 201, data={"kind": kind}, files=paper)
    certificate = {"kind": "geohazard", "grade": "B", "number": "DZ-2026-0002", "expires_on": "2028-06-30"}
    agency.api("POST", "/api/agency/qualifications", 201, json=certificate)
    agency.api("POST", "/api/agency/commitment", json={})
    agency.api("POST", f"/api/admission/{file['id']}/actions/submit", json={})
    refused = agency.api("POST", f"/api/admission/{file['id']}/actions/pass", 403, json={})
    assert refused["type"] == "/problems/not-allowed"
    operator = story.person("operator")
    operator.api("POST", f"/api/admission/{file['id']}/actions/pass", json={"accept_certificates": True})


def the_operator_admits_it(story: Story) -> None:
    operator = story.person("operator")
    operator.open("/admission")
    operator.follow(AGENCY)
    operator.press("Pass the form check", accept_certificates="true")
    operator.sees(AGENCY)
    story.let_pass(6)
    story.boss().until_seen(story.at["file"], "Admitted")


def it_puts_an_offer_on_its_shelf(story: Story) -> None:
    boss = story.boss()
    boss.open("/shelf/new")
    item = next(
        o["value"] for o in boss.page.find_all("option") if ITEM in o.get_text() or "Geological hazard" in o.get_text()
    )
    offer = {
        "item_id": str(item),
        "price_mode": "fixed",
        "price": PRICE,
        "region_code": "320706",
        "description": "现场踏勘、钻探资料分析、评估报告与专家评审全程服务。",
    }
    boss.press("Save", promised_limit_wd="99", status=422, **offer)
    boss.press("Save", promised_limit_wd="12", **offer)
    story.at["offer"] = boss.path
    boss.press("Put on the shelf")


def the_second_offers_over_the_api(story: Story) -> None:
    agency = story.person("agency")
    items = agency.api("GET", "/api/service-items")["items"]
    offer = {
        "item_id": next(item["id"] for item in items if item["name"] == ITEM),
        "promised_limit_wd": 15,
        "price_mode": "negotiable",
        "region_code": "320706",
        "description": "评估报告编制，含专家评审。",
    }
    listing = agency.api("POST", "/api/listings", 201, json=offer)
    agency.api("POST", f"/api/listings/{listing['id']}/actions/publish", json={"version": listing["version"]})
    stale = agency.api(
        "POST", f"/api/listings/{listing['id']}/actions/take_off", 409, json={"version": listing["version"]}
    )
    assert stale["type"] == "/problems/outdated"


def anyone_finds_it(story: Story) -> None:
    visitor = story.visitor()
    for words in ("地质灾害", "地質災害", "dizhizaihai", "华岳岩土"):
        visitor.until_seen(f"/search?q={words}", AGENCY)
    visitor.open("/search?q=地质灾害&limit=5")
    visitor.sees_not(AGENCY)
    visitor.open("/search?q=地质灾害&limit=12&price=0-2000000")
    visitor.sees(AGENCY)


def a_case_demands_the_service(story: Story) -> None:
    owner = story.person("owner")
    owner.open("/cases/new")
    item = next(
        o["value"] for o in owner.page.find("select", attrs={"name": "item_id"}).find_all("option") if o["value"]
    )
    hall = next(
        o["value"]
        for o in owner.page.find("select", attrs={"name": "hall_organisation_id"}).find_all("option")
        if o["value"]
    )
    application = {
        "item_id": str(item),
        "hall_organisation_id": str(hall),
        "project_name": "云港市滨河新区社区服务中心",
        "mode": "courier",
        "receiver_name": "陈立群",
        "receiver_mobile": "13800138000",
        "region_code": "320706",
        "address": "滨河路18号2幢301室",
        "who_may_sign": "self",
    }
    owner.press("Submit the application", status=422, **application)
    owner.sees("The courier needs your letter of authority")
    owner.press("Submit the application", mandate_accepted="true", **application)
    story.at["case"] = owner.path
    clerk = story.person("window_clerk")
    clerk.open(story.at["case"])
    clerk.press("Receive the application")
    clerk.press("Accept for handling")
    department = story.person("approving_department")
    department.open(story.at["case"])
    department.press("Take in hand")
    department.press("Demand a service", status=422)
    department.sees("Nothing outside the published item list may be demanded")
    listed = next(o["value"] for o in department.page.find_all("option") if ITEM in o.get_text())
    department.press("Demand a service", item_version_id=str(listed), reason="项目位于地质灾害易发区")


def the_owner_publishes_a_notice(story: Story) -> None:
    owner = story.person("owner")
    owner.open(story.at["case"])
    owner.follow("Choose an agency")
    closes = story.working_days_on(4, hour=17)
    what = {
        "title": "滨河新区社区服务中心地质灾害危险性评估",
        "project_name": "云港市滨河新区社区服务中心",
        "region_code": "320706",
        "content": "编制地质灾害危险性评估报告并通过专家评审。",
        "limit_wd": "15",
    }
    money = {"fund_source": "social", "budget_fen": "20000.00", "price_fen": PRICE}
    dates = {
        "registration_ends_at": closes.strftime("%Y-%m-%dT%H:%M"),
        "contact_name": "陈立群",
        "contact_phone": "0518-80000001",
        "complaint_phone": "0518-80000012",
    }
    owner.press("Save and continue", **what)
    owner.press("Save and continue")
    owner.press("Save and continue", **{**money, "price_fen": "1.005"}, status=422)
    owner.sees("at most two decimals")
    owner.press("Save and continue", **money)
    owner.press("Save and continue", **dates)
    owner.press("Save the draft")
    story.at["procurement"] = owner.path
    owner.press("Submit the notice")
    operator = story.person("operator")
    operator.open(story.at["procurement"])
    operator.press("Publish the notice")
    visitor = story.visitor()
    visitor.open("/procurements")
    visitor.sees(what["title"])
    boss = story.boss()
    boss.until_seen("/account/notices", what["title"])


def agencies_register(story: Story) -> None:
    boss = story.boss()
    boss.open(story.at["procurement"])
    boss.press("Register", contribution="a5" * 32)
    boss.follow("Details")
    story.at["registration"] = boss.path
    boss.sees("The certificates meet the demand on")
    twice = boss.api("POST", f"/api{story.at['procurement']}/registrations", 409, json={})
    assert twice["status"] == 409
    agency = story.person("agency")
    agency.api("POST", f"/api{story.at['procurement']}/registrations", 201, json={"contribution": "5a" * 32})
    owner = story.person("owner")
    refused = owner.api("POST", f"/api{story.at['procurement']}/registrations", 403, json={})
    assert refused["type"] == "/problems/not-allowed"
    procurement = story.visitor().api("GET", f"/api{story.at['procurement']}")
    story.product.move_clock_to(datetime.fromisoformat(procurement["registration_ends_at"]) + timedelta(seconds=5))
    late = story.boss().api("POST", f"/api{story.at['procurement']}/registrations", 409, json={})
    assert late["status"] == 409


def the_draw_can_be_recomputed(story: Story) -> None:
    visitor = story.visitor()
    visitor.until(
        story.at["procurement"],
        lambda p: any("/draws/" in str(a["href"]) for a in p.page.find_all("a", href=True)),
        "the draw",
    )
    link = next(str(a["href"]) for a in visitor.page.find_all("a", href=True) if "/draws/" in str(a["href"]))
    story.at["draw"] = "/draws/" + id_in(link)
    frozen = visitor.http.get(urljoin(visitor.url, story.at["draw"] + "/draw.txt"), timeout=30).content
    assert frozen.startswith(b"GMDRAW/1\n")
    assert CREDIT_CODE.encode() + b" 1 " + b"a5" * 32 in frozen
    story.product.move_clock_to(story.product.now() + timedelta(hours=3))
    visitor.until(
        story.at["draw"],
        lambda p: p.http.get(urljoin(p.url, story.at["draw"] + "/beacon.txt"), timeout=30).status_code == 200,
        "the public value",
    )
    folder = story.product.data / "verify"
    folder.mkdir(exist_ok=True)
    for name in ("draw.txt", "beacon.txt"):
        content = visitor.http.get(urljoin(visitor.url, f"{story.at['draw']}/{name}"), timeout=30).content
        (folder / name).write_bytes(content)
    assert (folder / "draw.txt").read_bytes() == frozen
    script = [sys.executable, str(ROOT / "docs" / "verify_draw.py"), "draw.txt", "beacon.txt"]
    strict = subprocess.run(script, cwd=folder, capture_output=True, text=True, check=False)
    assert strict.returncode != 0, "a demonstration value counts only with --demo"
    told = subprocess.run([*script, "--demo"], cwd=folder, capture_output=True, text=True, check=True).stdout
    first = re.search(r"^\s*1\s+([0-9A-Z]{18})", told, re.MULTILINE)
    assert first is not None, told
    story.at["winner"] = first[1]
    draw = visitor.api("GET", f"/api{story.at['draw']}")
    assert draw["ranking"][0]["uscc"] == first[1]
    story.let_pass(4)


def winner(story: Story) -> Person:
    return story.boss() if story.at["winner"] == CREDIT_CODE else story.person("agency")


def both_sides_sign(story: Story) -> None:
    agency = winner(story)
    agency.until_seen(story.at["procurement"], "Confirm the award")
    agency.press("Confirm the award")
    link = next(str(a["href"]) for a in agency.page.find_all("a", href=True) if "/contracts/" in str(a["href"]))
    story.at["contract"] = "/contracts/" + id_in(link)
    for person in (agency, story.person("owner")):
        person.open(story.at["contract"])
        person.press("Sign the contract", agreed="true")
    agency.open(story.at["contract"])
    agency.sees("15")
    outsider = story.person("applicant")
    outsider.open(story.at["contract"], 404)
    outsider.api("GET", f"/api{story.at['contract']}", 404)


def the_owner_pays(story: Story) -> None:
    owner = story.person("owner")
    owner.until("/bills", lambda p: p.has("18,600.00"), "the bill")
    link = next(
        str(a["href"])
        for a in owner.page.find_all("a", href=True)
        if re.search(r"/bills/[0-9a-f-]{36}", str(a["href"]))
    )
    story.at["bill"] = "/bills/" + id_in(link)
    owner.open(story.at["bill"])
    owner.press("Pay", method="alipay")
    assert owner.response.url.startswith(story.product.payments_url), owner.response.url
    owner.sees("no real money moves")
    owner.press("Continue to Alipay")
    owner.press("Authorise and pay")
    assert owner.response.url.startswith(story.product.url), "the cashier brings the payer back"
    owner.until_seen(story.at["bill"], "Held now ¥ 18,600.00")
    receipt = urljoin(owner.url, story.at["bill"] + "/receipt")
    owner.until(story.at["bill"], lambda p: p.http.get(receipt, timeout=30).status_code == 200, "the receipt")
    assert owner.http.get(receipt, timeout=30).content.startswith(b"%PDF-")


def the_deliverable_is_accepted(story: Story) -> None:
    agency = winner(story)
    agency.open(story.at["contract"])
    report = a_pdf("Geological hazard risk assessment, version 1")
    agency.press(
        "Hand in the deliverable",
        files={"file": ("报告.pdf", report, "application/pdf")},
        title="地质灾害危险性评估报告",
        practitioner_name="秦朗",
        checked="true",
    )
    owner = story.person("owner")
    owner.open(story.at["contract"])
    owner.press("Return for rework", reason="缺少附图三")
    agency = winner(story)
    agency.open(story.at["contract"])
    agency.press(
        "Hand in the deliverable",
        files={"file": ("报告第二版.pdf", a_pdf("version 2"), "application/pdf")},
        title="地质灾害危险性评估报告（修订）",
        practitioner_name="秦朗",
        checked="true",
    )
    owner = story.person("owner")
    owner.open(story.at["contract"])
    owner.press("Accept the deliverable")
    owner.press("Rate the service", quality="5", timeliness="5", attitude="4", fee="4", conformity="5")
    agency = winner(story)
    agency.until_seen("/income", "18,600.00")


def the_case_is_decided(story: Story) -> None:
    department = story.person("approving_department")
    department.until_seen(story.at["case"], "Deliverable received")
    department.press("Approve", reason="")
    the_certificate_is_made(story)


def the_certificate_is_made(story: Story) -> None:
    centre = story.person("certificate_centre")
    centre.until_seen("/certificates", "建设用地规划许可证")
    centre.follow("建设用地规划许可证")
    story.at["certificate"] = centre.path
    centre.press("Make the certificate")
    pdf = centre.http.get(urljoin(centre.url, story.at["certificate"] + "/document"), timeout=30)
    assert pdf.content.startswith(b"%PDF-")


def the_courier_delivers(story: Story) -> None:
    post = story.person("postal_staff")
    post.until("/delivery", lambda p: p.has("陈") or p.has("CS-"), "the parcel to be packed")
    link = next(
        str(a["href"])
        for a in post.page.find_all("a", href=True)
        if re.search(r"/parcels/[0-9a-f-]{36}", str(a["href"]))
    )
    story.at["parcel"] = "/parcels/" + id_in(link)
    post.open(story.at["parcel"])
    post.sees("138******00")
    post.press("Pack", seal_no="FQ20261210001", weight_g="120", contents_compared="true")
    clerk = story.person("window_clerk")
    clerk.open(story.at["parcel"])
    clerk.press("Confirm the packing", seal_no="FQ20261210001")
    post.until(story.at["parcel"], lambda p: re.search(r"\b10\d{11}\b", p.text) is not None, "the waybill number")
    number = re.search(r"\b10\d{11}\b", post.text)
    assert number is not None
    story.at["waybill"] = number[0]
    post.open(story.at["parcel"] + "/label")
    post.press("Print")
    label = post.http.get(urljoin(post.url, story.at["parcel"] + "/label.pdf"), timeout=30)
    assert label.content.startswith(b"%PDF-")
    post.open("/handover-batches")
    post.follow("Scan onto a list")
    box = post.page.find("input", attrs={"name": "code"})
    assert box is not None
    form = box.find_parent("form")
    assert form is not None
    post.send(form, code=f"  {story.at['waybill']}　".replace("1", "１"))  # a scanner behind a Chinese input method
    story.at["batch"] = "/handover-batches/" + id_in(post.path)
    clerk.open(story.at["batch"])
    clerk.press("Sign for the hall", counted="1")
    post.open(story.at["batch"])
    post.press("Sign for the courier", courier_name="丁一凡", courier_staff_no="EMS-0731", counted="1")
    handed = post.http.get(urljoin(post.url, story.at["batch"] + "/list.pdf"), timeout=30)
    assert handed.content.startswith(b"%PDF-")
    owner = story.person("owner")
    owner.until_seen(story.at["case"], "Signed for by")
    visitor = story.visitor()
    visitor.open("/track")
    visitor.press("Track", status=422, number=story.at["waybill"], secret="9999")
    visitor.sees_not("Delivered")
    visitor.open("/track")
    visitor.press("Where is it?", number=story.at["waybill"], secret="8000")
    visitor.sees("Delivered")
    visitor.sees_not("13800138000")


def the_timeline_tells_all(story: Story) -> None:
    owner = story.person("owner")
    owner.open(story.at["case"])
    for step in (
        "Application submitted",
        "Intermediary service demanded",
        "Publish the notice",
        "Ranking computed",
        "Confirm the award",
        "Sign the contract",
        "Bill opened",
        "Service fee paid and held",
        "Accept the deliverable",
        "Held money released",
        "Approve the application",
        "Handed over to the courier",
        "Delivered",
    ):
        owner.sees(step)
    visitor = story.visitor()
    visitor.open(story.at["case"], 200)
    assert visitor.path.startswith("/sign-in"), "the case is not public"
    told = story.visitor().api("GET", f"/api{story.at['procurement']}/timeline")
    words = str(told)
    assert "13800138000" not in words
    assert "Ranking computed" in words or "抽取" in words
    story.product.flask("audit", "verify")
