"""Portraits: decoded, cut, packed without what the file carried; shown to patients by digest."""

import datetime as dt
import io
import random
import zlib

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hospital.identity.states import Role
from hospital.kernel import clock
from hospital.kernel.errors import Invalid
from hospital.onboarding.pictures import portrait
from hospital.organisation.models import Photo, Practitioner
from hospital.testing.organisation import a_department, a_practitioner
from hospital.testing.people import a_wechat_user, patient_client, staff_client
from hospital.testing.schedules import a_released_schedule

DOCTOR = "/staff/master/practitioners/row/0101"


def a_picture(kind: str = "JPEG", size: tuple[int, int] = (600, 800)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB" if kind == "JPEG" else "RGBA", size, (200, 30, 30)).save(out, kind)
    return out.getvalue()


def noise(side: int) -> bytes:
    """What packs worst."""
    out = io.BytesIO()
    content = random.Random(7).randbytes(side * side * 3)
    Image.frombytes("RGB", (side, side), content).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(600, 800), (1500, 500), (150, 150)])
def test_a_picture_becomes_a_small_square(kind: str, size: tuple[int, int]) -> None:
    made = portrait(a_picture(kind, size))

    with Image.open(io.BytesIO(made)) as picture:
        side = min(400, *size)
        assert (picture.format, picture.size) == ("JPEG", (side, side))
    assert len(made) <= 40_000


def test_the_worst_picture_is_still_small() -> None:
    assert len(portrait(noise(700))) <= 40_000


def test_a_portrait_lying_on_its_side_stands_up_and_says_no_more() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned
    exif[0x010E] = "secret place"
    picture = Image.new("RGB", (400, 400), "red")
    picture.paste("blue", (0, 0, 200, 400))
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=b"secret place")

    made = portrait(out.getvalue())

    assert b"secret place" not in made
    with Image.open(io.BytesIO(made)) as upright:
        assert not upright.getexif()
        top, bottom = upright.getpixel((200, 20)), upright.getpixel((200, 380))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert (top[2] > 200, bottom[0] > 200) == (True, True)


def giant() -> bytes:
    """A few bytes that claim to be 60,000 pixels wide and high."""
    head = (60_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    chunk = b"IHDR" + head
    size, check = len(head).to_bytes(4, "big"), zlib.crc32(chunk).to_bytes(4, "big")
    return b"\x89PNG\r\n\x1a\n" + size + chunk + check


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "请选择一张照片。"),
        (b"GIF89a" + b"x" * 100, "照片无法读取，请换一张 JPEG、PNG 或 WebP 照片。"),
        (a_picture()[:300], "照片无法读取，请换一张 JPEG、PNG 或 WebP 照片。"),
        (a_picture(size=(50, 50)), "照片太小：长和宽都至少要 120 像素。"),
        (giant(), "照片无法读取，请换一张 JPEG、PNG 或 WebP 照片。"),
        (a_picture(size=(8000, 6000)), "照片的像素太多，请缩小后再上传。"),
        (b"\xff\xd8" + b"x" * 5_000_001, "照片太大：最多 5 MB。"),
    ],
    ids=["none", "gif", "cut off", "tiny", "giant", "many pixels", "many bytes"],
)
def test_no_good_picture_is_refused(content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid) as refused:
        portrait(content)

    assert refused.value.errors == {"photo": [sentence]}


DAMAGED = a_picture("PNG", (200, 200))


@given(at=st.integers(0, len(DAMAGED) - 1), byte=st.integers(0, 255))
@settings(max_examples=25)
def test_a_damaged_picture_is_packed_or_refused(at: int, byte: int) -> None:
    content = bytearray(DAMAGED)
    content[at] = byte

    try:
        made = portrait(bytes(content))
    except Invalid:
        return
    assert len(made) <= 40_000


@pytest.fixture
def steward() -> Client:
    return staff_client(Role.SYSTEM_ADMIN)


def upload(client: Client, content: bytes) -> HttpResponse:
    answer = client.post(f"{DOCTOR}/photo/", {"photo": SimpleUploadedFile("她.jpg", content)})
    assert isinstance(answer, HttpResponse)
    return answer


@pytest.mark.django_db
def test_patients_see_the_portrait_at_an_address_that_never_changes(steward: Client) -> None:
    department = a_department(code="PWB")
    doctor = a_practitioner(department, code="0101")
    now = clock.now()
    day = clock.hospital_day(now) + dt.timedelta(days=1)
    a_released_schedule(department=department, practitioner=doctor, day=day, at=now)
    phone = patient_client(a_wechat_user())
    assert "<img" not in phone.get("/m/doctors/0101/").content.decode()

    assert upload(steward, a_picture()).status_code == 302

    address = f"/photo/{Photo.objects.get().digest}/"
    for page in ("/m/doctors/0101/", f"/m/departments/PWB/?day={day}"):
        assert f'src="{address}"' in phone.get(page).content.decode(), page
    answer = Client().get(address)
    assert answer.content == bytes(Photo.objects.get().content)
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    seen = {"If-None-Match": answer.headers["ETag"]}
    assert Client().get(address, headers=seen).status_code == 304
    assert Client().get("/photo/nothing/").status_code == 404
    history = steward.get(f"{DOCTOR}/history/").content.decode()
    assert f"照片 {Photo.objects.get().digest[:6]}" in history

    assert steward.post("/staff/master/practitioners/row/0%00/photo/remove/").status_code == 404
    steward.post(f"{DOCTOR}/photo/remove/")
    assert Practitioner.objects.get().photo_id is None
    assert "<img" not in phone.get("/m/doctors/0101/").content.decode()


@pytest.mark.django_db
def test_a_bad_picture_or_a_stranger_changes_nothing(steward: Client) -> None:
    a_practitioner(a_department(), code="0101")

    answer = upload(steward, b"no picture")

    assert answer.status_code == 422
    assert "照片无法读取" in answer.content.decode()
    assert upload(staff_client(Role.FINANCE), a_picture()).status_code == 403
    assert not Photo.objects.exists()
    assert Practitioner.objects.get().photo_id is None
