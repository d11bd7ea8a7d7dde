"""THE table: which news wakes which jobs. All upward traffic of the whole system, on one page.

Each job is durable, retried and idempotent, and is committed together with the news (law 2).
"""

from hospital.billing.events import BillReopened, BillSettled, BillUnwanted, ChargesReversed
from hospital.kernel.events import Reactions
from hospital.patients.events import BindingChanged, CopyAsked, PhoneChanged, PhoneCodeAsked
from hospital.scheduling.events import ScheduleSubstituted, ScheduleSuspended

REACTIONS: Reactions = {
    BillSettled: ["registration.jobs.confirm_paid_appointment"],
    BillReopened: ["registration.jobs.release_unpaid_bill"],
    BillUnwanted: ["payments.jobs.close_payments"],
    ChargesReversed: ["payments.jobs.refund_reversed", "registration.jobs.cancel_refunded"],
    BindingChanged: ["messaging.jobs.tell_binding"],
    CopyAsked: ["portal.jobs.make_copy"],
    PhoneChanged: ["messaging.jobs.tell_phone"],
    PhoneCodeAsked: ["messaging.jobs.send_phone_code"],
    ScheduleSuspended: ["registration.jobs.cancel_suspended", "registration.jobs.clear_waitlist"],
    ScheduleSubstituted: ["registration.jobs.settle_substitution"],
}
