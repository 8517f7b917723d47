"""The camera of the handset before one of our labels: the bar code and the QR code lead to their stop."""

import io
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser

from delivery import queries
from delivery.documents.labels import HallAddress, own_label
from tests.browser.chromium import PHONE, Window, executable, window
from tests.builders import sign_in
from tests.delivery.builders import a_hall
from tests.delivery.rounds_builders import a_courier, a_round, an_own_parcel

pytestmark = [pytest.mark.browser]
FRAME = (1280, 720)
ZONES = {"bar code": (0, 10, 76, 36), "qr code": (40, 95, 76, 130)}
"""What the courier holds into the picture, in millimetres of the label of 76 by 130: left, top, right, bottom."""


def filmed(pdf: bytes, zone: tuple[int, int, int, int], folder: Path) -> Path:
    """A film of ten frames of a part of the label on a grey desk, as a motion JPEG that Chromium takes for a camera."""
    printed = shutil.which("pdftoppm")
    if printed is None:
        pytest.skip("pdftoppm (package poppler-utils) renders the label")
    (folder / "label.pdf").write_bytes(pdf)
    subprocess.run([printed, "-r", "300", "-png", folder / "label.pdf", folder / "label"], check=True)
    sheet = Image.open(next(folder.glob("label*.png"))).convert("RGB")
    left, top, right, bottom = (round(each * 300 / 25.4) for each in zone)
    part = sheet.crop((left, top, right, bottom))
    part.thumbnail((FRAME[0] - 120, FRAME[1] - 80))
    frame = Image.new("RGB", FRAME, "#8b8f93")
    frame.paste(part, ((FRAME[0] - part.width) // 2, (FRAME[1] - part.height) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=85)
    film = folder / "camera.mjpeg"
    film.write_bytes(out.getvalue() * 10)
    return film


@contextmanager
def before_a_camera(browser: Browser, url: str, film: Path) -> Iterator[Window]:
    """A window of a second Chromium whose camera shows the film."""
    camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"]  # fmt: skip
    second = browser.browser_type.launch(
        executable_path=executable(), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", *camera]
    )
    try:
        with window(second, url, width=PHONE) as made:
            yield made
    finally:
        second.close()


@pytest.mark.parametrize("zone", list(ZONES))
def test_a_label_before_the_camera_opens_its_stop(
    zone: str, app: Flask, browser: Browser, url: str, clock_at: Callable[..., None], tmp_path: Path
) -> None:
    hall = a_hall()
    courier = a_courier(hall)
    other, wanted = an_own_parcel(hall), an_own_parcel(hall, address="解放东路9号")
    a_round(hall, courier, other, wanted)
    view = queries.parcel_view(wanted, hall.packer)
    film = filmed(own_label(view, HallAddress("057188880000", "解放东路18号"), simulated=True), ZONES[zone], tmp_path)
    with before_a_camera(browser, url, film) as found:
        found.page.set_default_timeout(60_000)  # decoding a film takes long on a busy machine
        client = app.test_client()
        sign_in(client, courier)
        cookie = client.get_cookie("session")
        assert cookie is not None
        found.page.context.add_cookies([{"name": "session", "value": cookie.value, "url": url}])
        found.open("/handset/")
        found.page.locator("[data-rounds] button").click()
        found.page.locator("[data-camera]:visible").click()
        found.page.locator("[data-screen=stop]:visible").wait_for()
        assert found.page.locator("[data-f=waybill_no]").inner_text() == view.waybill_no
        assert found.complaints == []
