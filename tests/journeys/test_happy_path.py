"""Book, pay, be told, cancel and get the money back, all by tapping what is on the pages."""

from __future__ import annotations

from hospital.payments.models import Payment, Refund
from hospital.scheduling.states import SlotStatus
from hospital.testing.people import a_resident_id
from tests.journeys.endings import books_balance, nothing_is_stuck
from tests.journeys.phone import Phone
from tests.journeys.story import Story, moves

NAME = "陈晓宁"


def walk_to_the_pay_page(phone: Phone) -> None:
    """From the account's menu to the bill, adding the patient on the way."""
    phone.open("/m/")
    phone.follow("预约挂号")
    phone.follow("颈肩腰腿痛")
    phone.follow("11/24")
    phone.follow("上午 余 16")
    adding = phone.follow("08:00 余 4")
    assert adding.path.startswith("/m/patients/add/"), "there is nobody to book for yet"
    confirm = phone.adds(NAME, a_resident_id())
    for words in ("陈知行", "主任医师", "08:00–09:00", "11月24日", "¥25.00", "陈晓宁"):
        assert words in confirm.text
    phone.send("提交并支付")


def test_book_pay_cancel_and_get_the_money_back(story: Story) -> None:
    phone = story.phone()
    walk_to_the_pay_page(phone)
    assert "内完成支付" in phone.page.text
    assert moves(phone.appointment) == []

    phone.pays()
    story.deliver()

    assert "支付成功" in phone.opens_pay_page().text
    result = phone.follow("查看详情")
    assert "挂号成功" in result.text
    appointment = phone.appointment
    assert moves(appointment) == ["booked"]
    assert moves(appointment.bill) == ["paying", "settled"]
    assert moves(Payment.objects.get()) == ["pending", "succeeded"]
    (card,) = phone.chat()
    assert (card.kind, card.lines) == (
        "N01",
        {
            "就诊人": "陈*宁",
            "科室": "针灸推拿科",
            "医生": "陈知行",
            "就诊时间": "11月24日 08:00-09:00",
            "就诊序号": "1",
        },
    )
    there = phone.opens_card(card)
    assert there.path == f"/m/appointments/{appointment.number}/"
    assert "就诊序号 1" in there.text

    gone = phone.cancels()

    assert "患者退号" in gone.text
    assert "¥25.00 正在原路退回" in gone.text
    assert phone.appointment.slot.status == SlotStatus.RECLAIM_WAIT
    story.time.work()
    assert phone.told() == ["N01", "N05"]
    story.refund_arrives()

    assert moves(phone.appointment) == ["booked", "cancelled"]
    assert moves(phone.appointment.bill) == ["paying", "settled", "refunded"]
    assert moves(Payment.objects.get()) == ["pending", "succeeded", "fully_refunded"]
    assert moves(Refund.objects.get()) == ["submitted", "processing", "succeeded"]
    assert phone.told() == ["N01", "N05", "N26"]
    told = phone.chat()[-1]
    assert told.lines == {"退款金额": "¥25.00", "退回账户": "支付用户零钱", "退款状态": "退款成功"}
    assert "已全额退款" in phone.opens_card(told).text
    assert "¥25.00 已退回付款账户" in phone.follow("查看详情").text
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)
    assert phone.appointment.slot.status == SlotStatus.FREE


def test_a_booking_kept_keeps_its_money(story: Story) -> None:
    phone = story.patient()
    phone.books(story.schedule)
    phone.pays()
    story.deliver()

    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
    assert phone.told() == ["N01"]
    assert moves(phone.appointment) == ["booked"]
    assert phone.appointment.slot.status == SlotStatus.BOOKED


def test_a_hold_nobody_pays_is_reminded_of_and_given_back(story: Story) -> None:
    """N02 five minutes before the end, N03 at the end, and somebody else gets the number."""
    phone, next_one = story.patient(), story.patient("林若谷")
    phone.books(story.schedule)

    story.time.passes(minutes=9)
    assert phone.told() == []
    story.time.passes(minutes=2)
    assert phone.told() == ["N02"]
    story.time.passes(minutes=5)

    assert phone.told() == ["N02", "N03"]
    assert moves(phone.appointment) == ["cancelled"]
    assert moves(phone.appointment.bill) == ["expired"]
    next_one.books(story.schedule)
    assert next_one.appointment.slot_id == phone.appointment.slot_id
    next_one.pays()
    story.deliver()
    nothing_is_stuck(story)
    books_balance(story, kept_fen=2500)
    assert (phone.told(), next_one.told()) == (["N02", "N03"], ["N01"])


def test_a_full_band_offers_the_nearest_others(story: Story) -> None:
    for name in ("陈晓宁", "林若谷", "黄子衿", "李望舒"):
        story.patient(name).books(story.schedule)
    late = story.patient("赵清和")

    taken = late.books(story.schedule, status=409)

    assert "刚刚约满" in taken.text
    assert [link.words for link in taken.links if "余" in link.words] == [
        f"11月24日 {hour} 陈知行 主任医师 余 4" for hour in ("09:00", "10:00", "11:00")
    ]
    late.follow("09:00")
    late.send("提交并支付")
    assert late.appointment.slot.sequence_no == 5
    story.time.passes(minutes=16)
    nothing_is_stuck(story)
    books_balance(story, kept_fen=0)
