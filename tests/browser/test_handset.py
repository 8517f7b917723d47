"""The handset in a real Chromium without a connection: thirty doors, then everything arrives once and nothing stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Page

from app.kernel.db import db
from delivery.models.parcels import Parcel
from delivery.models.proofs import DoorRecord
from delivery.models.rounds import CourierRound
from delivery.services import rounds
from delivery.services.rounds import StopOf
from tests.browser.chromium import PHONE, Window
from tests.delivery.builders import a_hall
from tests.delivery.rounds_builders import a_courier, a_picture, a_round, many_own_parcels

pytestmark = [pytest.mark.browser]
STOPS = 30
STORED = """async () => {
  const database = await new Promise((done) => { const ask = indexedDB.open("handset"); ask.onsuccess = () => done(ask.result); });
  const found = {};
  for (const store of database.objectStoreNames) {
    found[store] = await new Promise((done) => { const ask = database.transaction(store).objectStore(store).getAllKeys(); ask.onsuccess = () => done(ask.result); });
  }
  const cached = [];
  for (const name of await caches.keys()) for (const kept of await (await caches.open(name)).keys()) cached.push(new URL(kept.url).pathname);
  return { found, cached };
}"""
PLAIN = """async () => {
  const database = await new Promise((done) => { const ask = indexedDB.open("handset"); ask.onsuccess = () => done(ask.result); });
  const texts = [];
  for (const store of database.objectStoreNames) {
    const rows = await new Promise((done) => { const ask = database.transaction(store).objectStore(store).getAll(); ask.onsuccess = () => done(ask.result); });
    for (const row of rows) {
      const bytes = row?.data ?? row?.sealed?.data;
      texts.push(JSON.stringify(row), bytes ? new TextDecoder().decode(bytes) : "");
    }
  }
  return texts.join("|");
}"""
SIGN = """canvas => {
  const box = canvas.getBoundingClientRect();
  const send = (kind, x, y) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 1, pointerType: "touch", isPrimary: true, buttons: kind === "pointerup" ? 0 : 1, pressure: 0.5, bubbles: true, cancelable: true, clientX: box.left + x, clientY: box.top + y }));
  send("pointerdown", 30, 60); for (let i = 1; i < 12; i += 1) send("pointermove", 30 + 18 * i, 60 + 30 * Math.sin(i)); send("pointerup", 250, 70);
}"""


def counts(page: Page) -> list[str]:
    return page.locator("[data-count]").all_inner_texts()


def deliver(page: Page, code: str, photo: bool = False) -> None:
    page.locator("[data-screen=stop] [data-go=deliver]").click()
    page.locator("[data-i=code]").fill(code)
    page.locator("[data-check-code]").click()
    page.locator("[data-code-say][data-tone=good]").wait_for()
    if photo:
        page.locator("[data-photo]").set_input_files(
            {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": a_picture("JPEG")}
        )
        page.locator("[data-preview]:visible").wait_for()
    page.locator("[data-pad]").evaluate(SIGN)
    page.locator("[data-save-delivered]").click()


def test_a_round_without_a_connection(
    app: Flask, as_person: Callable[..., Window], clock_at: Callable[..., None], album: Path
) -> None:
    hall = a_hall()
    courier = a_courier(hall)
    made = a_round(hall, courier, *many_own_parcels(hall, STOPS), out=False)
    codes = {
        row.receiver_name: row.pickup_code
        for row in db.session.execute(sa.select(Parcel.receiver_name, Parcel.pickup_code))
    }
    found = as_person(courier, "/handset/", width=PHONE)
    page = found.page
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.locator("[data-rounds] button").click()
    found.picture(album / "handset-home.png")
    page.locator("[data-yes]").click()
    page.locator("[data-screen=list]:visible").wait_for()
    assert counts(page) == [str(STOPS), "0", "0"]
    assert found.faults() == []
    found.picture(album / "handset-list.png")
    assert "收件人" not in page.evaluate(PLAIN)

    page.context.set_offline(True)
    page.reload()  # from the service worker and the sealed store alone
    page.locator("[data-next]:visible").wait_for()
    page.locator("[data-offline]:visible").wait_for()
    for number in range(STOPS):
        if number == 3:  # a PDA types the number of another stop
            page.locator("h1").click()
            page.keyboard.type("ZS-2026-900029")
            page.keyboard.press("Enter")
        else:
            page.locator("[data-next-open]").click()
        page.locator("[data-screen=stop]:visible").wait_for()
        name = page.locator("[data-f=name]").inner_text()
        if number % 10 == 9:
            page.locator("[data-screen=stop] [data-go=failed]").click()
            page.locator("[name=reason][value=absent]").check()
            if number == 9:
                found.picture(album / "handset-failed.png")
            page.locator("[data-save-failed]").click()
        else:
            if number == 0:
                found.picture(album / "handset-stop.png")
                wrong_code(page, codes[name])
                found.picture(album / "handset-deliver.png", full_page=True)
                page.locator("[data-screen=deliver] [data-go=stop]").click()
            deliver(page, codes[name], photo=number < 3)
        page.locator("[data-screen=list]:visible").wait_for()
    page.locator(f"[data-waiting]:text-is('{STOPS}')").wait_for()
    found.picture(album / "handset-offline-done.png")
    assert wrong_with(found) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(DoorRecord)) == 0
    assert "收件人" not in page.evaluate(PLAIN)

    uploads: list[int] = []
    page.on("response", lambda answer: uploads.append(answer.status) if answer.url.endswith("/records") else None)
    page.context.set_offline(False)
    page.locator("[data-send]").wait_for(state="hidden")
    db.session.rollback()  # ends the read of before
    assert uploads == [200, 200]
    kept = list(db.session.scalars(sa.select(DoorRecord)))
    assert len(kept) == STOPS
    assert {row.standing for row in kept} == {"counted"}
    assert sum(row.kind == "delivered" for row in kept) == STOPS - 3
    assert sum(row.photo_sha256 is not None for row in kept) == 3
    states = db.session.scalars(sa.select(Parcel.state).where(Parcel.id.in_(made.parcels)))
    assert sorted(states) == ["delivered"] * (STOPS - 3) + ["handed_over"] * 3

    page.locator("[data-end]").click()
    page.locator("[data-yes]").click()
    page.locator("[data-screen=home]:visible").wait_for()
    left = page.evaluate(STORED)
    assert left["found"] == {"answers": [], "meta": ["device", "offset"], "queue": [], "sealed": []}
    assert not [path for path in left["cached"] if path.startswith("/api/")]
    assert "/handset/" in left["cached"]
    db.session.rollback()  # ends the read of before
    assert db.session.scalar(sa.select(CourierRound.storage_key)) is None
    assert wrong_with(found) == []


def wrong_with(found: Window) -> list[str]:
    """Everything that is wrong with the page, except that there is no connection."""
    return [line for line in found.faults() if "ERR_INTERNET_DISCONNECTED" not in line]


def wrong_code(page: Page, right: str) -> None:
    """A wrong code is noticed without a connection, and a delivery without proof is not recorded."""
    page.locator("[data-screen=stop] [data-go=deliver]").click()
    page.locator("[data-i=code]").fill("999999" if right != "999999" else "999998")
    page.locator("[data-check-code]").click()
    page.locator("[data-code-say]", has_text="错误").wait_for()
    page.locator("[data-save-delivered]").click()
    page.locator("[data-screen=deliver] [data-missing]:visible").wait_for()


def test_two_handsets_and_a_sign_out(app: Flask, as_person: Callable[..., Window], album: Path) -> None:
    hall = a_hall()
    first, second = a_courier(hall), a_courier(hall, "第二人")
    parcels = many_own_parcels(hall, 1)
    made = a_round(hall, first, *parcels)
    code = db.session.scalar(sa.select(Parcel.pickup_code).where(Parcel.id == parcels[0]))
    early = as_person(first, "/handset/", width=PHONE, theme="dark")
    early.page.locator("[data-rounds] button").click()
    early.page.locator("[data-next-open]").click()
    early.page.context.set_offline(True)
    deliver(early.page, code or "")
    early.page.locator("[data-waiting]:text-is('1')").wait_for()
    rounds.take_off(hall.packer, made.id, StopOf(parcels[0]))
    a_round(hall, second, *parcels)
    late = as_person(second, "/handset/", width=PHONE)
    late.page.locator("[data-rounds] button").click()
    late.page.locator("[data-next-open]").click()
    with late.page.expect_response("**/api/handset/records"):  # the other record must not come before this one
        deliver(late.page, code or "")
    early.page.context.set_offline(False)
    early.page.locator("[data-looks]:visible").click()
    early.page.locator(".hs-answer", has_text="另一名投递员").wait_for()
    early.picture(album / "handset-conflict.png")
    db.session.rollback()  # ends the read of before
    assert sorted(db.session.scalars(sa.select(DoorRecord.standing))) == ["conflict", "counted"]
    early.page.locator("[data-go=more]").click()
    early.picture(album / "handset-more.png")
    early.page.locator("[data-sign-out]").click()
    early.page.wait_for_url("**/sign-in*")
    keys = early.page.evaluate(STORED)["found"]
    assert (keys["sealed"], keys["queue"]) == ([], [])
    assert "key" not in keys["meta"]
