"""What is said when somebody collects a number early, late, or too late (M1.13, H3.2). Pure."""

import datetime as dt
from dataclasses import dataclass

from hospital.kernel.clock import hospital_day
from hospital.registration.queries import AppointmentRow
from hospital.registration.states import AppointmentStatus, CancelReason
from hospital.ui.wording import clock_text, day_text


@dataclass(frozen=True, slots=True)
class Timing:
    """A sentence for the clerk to say; `tone` as of a banner, `may_collect` whether the number can
    be given out."""

    text: str
    tone: str
    may_collect: bool


_GONE = {
    CancelReason.NOT_COLLECTED: "没有按时取号，号已让给现场患者。请重新挂号。",
    CancelReason.PAYMENT_TIMEOUT: "超时未支付，号已释放。请重新挂号。",
    CancelReason.HOSPITAL: "这次出诊已停诊，已付的钱会退回。请改挂其他号。",
    CancelReason.RESCHEDULED: "已改约到其他时间，请用新的预约取号。",
}


def timing(row: AppointmentRow, *, at: dt.datetime) -> Timing:
    """Whether and how a booking is collected at this moment."""
    today = hospital_day(at)
    if row.status == AppointmentStatus.CANCELLED:
        text = _GONE.get(row.cancel_reason, "这个预约已退号。")
        return Timing(text, "danger", may_collect=False)
    if row.status == AppointmentStatus.NOSHOW:
        return Timing("已按爽约处理，不能取号。有异议请到门诊办公室。", "danger", may_collect=False)
    if row.status not in {
        AppointmentStatus.PENDING,
        AppointmentStatus.BOOKED,
        AppointmentStatus.CHECKED_IN,
    }:
        return Timing(f"这个预约{row.status_label}，不用再取号。", "warn", may_collect=False)
    if row.visit_date > today:
        return Timing(
            f"就诊日期是{day_text(row.visit_date)}，不是今天。小票可以先打，当天直接候诊。",
            "info",
            may_collect=True,
        )
    if row.visit_date < today:
        return Timing("就诊日期已过，不能取号。", "danger", may_collect=False)
    starts, ends = clock_text(row.band_starts_at), clock_text(row.band_ends_at)
    if at > row.band_ends_at:
        return Timing(
            f"预约时段 {starts}–{ends} 已过，请告诉患者：先签到，按迟到顺序候诊。",
            "warn",
            may_collect=True,
        )
    if at < row.band_starts_at - dt.timedelta(hours=1):
        return Timing(
            f"来早了：预约时段是 {starts}–{ends}，请告诉患者那时再候诊。", "info", may_collect=True
        )
    return Timing(f"预约时段 {starts}–{ends}，按时。", "brand", may_collect=True)
