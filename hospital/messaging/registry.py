"""The kinds of message (chapter 4 of the domain handbook): title, fields, channels, switches.

A message must be understood from at most five short fields (M8.2) and names no diagnosis, drug
or full ID (M8.3). How long a field may be depends on the account's approved template; see
`approved` and `fitting`. A new kind is one entry here; nothing else in this area changes.
"""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Final, Literal

from hospital.messaging.states import Switch

MOST_FIELDS: Final = 5
Audience = Literal["patient", "staff"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of message; `fields` maps the names callers use to the labels people read.

    `sample` shows every field as it may come, long ones included. `sms` is the text of its SMS,
    with {field} in it; empty = the kind never goes out as one (M8.3). An urgent kind knows no
    quiet hours, and when no channel brought it to a patient somebody telephones. `switch` is what
    its reader may turn it off with; None = it always comes. Staff get an SMS and see the page.
    """

    code: str
    title: str
    fields: dict[str, str]
    sample: dict[str, str] = field(repr=False)
    switch: Switch | None = None
    is_urgent: bool = False
    sms: str = ""
    audience: Audience = "patient"

    def __post_init__(self) -> None:
        assert len(self.fields) <= MOST_FIELDS, f"{self.code} has more than five fields"
        assert self.sample.keys() == self.fields.keys(), f"{self.code}: sample and fields differ"
        used = {name for _, name, _, _ in string.Formatter().parse(self.sms) if name is not None}
        assert used <= self.fields.keys(), f"{self.code}: its SMS uses unknown fields"
        assert self.switch is not Switch.ANYTIME, "that switch is no group of kinds"

    def sms_text(self, values: dict[str, str], *, hospital: str) -> str:
        """The SMS, signed as the law on SMS wants it."""
        return f"【{hospital}】{self.sms.format(**values)}"


_ALL: Final = (
    Kind(
        code="N01",
        title="挂号成功",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "doctor": "医生",
            "time": "就诊时间",
            "number": "就诊序号",
        },
        sample={
            "patient": "欧***儿",
            "department": "针灸推拿科",
            "doctor": "陈知行",
            "time": "11月24日 周二 08:30-09:00",
            "number": "12号",
        },
        switch=Switch.BOOKING,
    ),
    Kind(
        code="N02",
        title="挂号待支付",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "doctor": "医生",
            "pay_before": "最晚支付",
            "amount": "应付金额",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "doctor": "陈知行",
            "pay_before": "14:32",
            "amount": "¥25.00",
        },
        switch=Switch.TODO,
    ),
    Kind(
        code="N03",
        title="号源已释放",
        fields={"patient": "就诊人", "department": "科室", "date": "就诊日期", "reason": "原因"},
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "date": "11月24日 周二",
            "reason": "超时未支付",
        },
        switch=Switch.BOOKING,
    ),
    Kind(
        code="N04",
        title="就诊提醒",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "time": "就诊时间",
            "place": "就诊地点",
            "bring": "请带",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "time": "11月24日 周二 08:30-09:00",
            "place": "门诊楼三楼东区 302诊室",
            "bring": "身份证件、医保卡、病历资料",
        },
        switch=Switch.TODO,
    ),
    Kind(
        code="N05",
        title="退号成功",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "date": "就诊日期",
            "refund": "退款金额",
            "arrival": "到账时间",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "date": "11月24日 周二",
            "refund": "¥1,025.00",
            "arrival": "原路退回，以微信到账为准",
        },
        switch=Switch.BOOKING,
    ),
    Kind(
        code="N06",
        title="停诊通知",
        fields={
            "patient": "就诊人",
            "doctor": "停诊医生",
            "date": "停诊时间",
            "refund": "退款情况",
            "choice": "您可以",
        },
        sample={
            "patient": "陈*宁",
            "doctor": "陈知行 针灸推拿科",
            "date": "11月24日 周二 08:30-09:00",
            "refund": "¥25.00 原路退回",
            "choice": "改约其他医生或日期",
        },
        is_urgent=True,
        sms="{patient}预约的{doctor}{date}停诊，{refund}。可{choice}。",
    ),
    Kind(
        code="N13",
        title="爽约记录",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "date": "就诊日期",
            "count": "累计次数",
            "consequence": "后果",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "date": "11月24日 周二",
            "count": "2 次",
            "consequence": "满3次暂停线上预约90天",
        },
        switch=Switch.BOOKING,
    ),
    Kind(
        code="N14",
        title="预约限制通知",
        fields={
            "patient": "就诊人",
            "what": "通知事项",
            "reason": "原因",
            "until": "时间",
            "appeal": "申诉",
        },
        sample={
            "patient": "陈*宁",
            "what": "暂停线上预约",
            "reason": "多次当日退号（3次）",
            "until": "12月24日 10:30",
            "appeal": "可在手机上申诉",
        },
    ),
    Kind(
        code="N07",
        title="替诊通知",
        fields={
            "patient": "就诊人",
            "change": "医生变更",
            "date": "就诊时间",
            "note": "说明",
        },
        sample={
            "patient": "陈*宁",
            "change": "陈知行→欧阳若谷",
            "date": "11月24日 周二 08:30-09:00",
            "note": "11月23日 20:30前确认，否则退号",
        },
        is_urgent=True,
        sms="{patient}预约的{date}改由其他医生接诊（{change}），{note}。",
    ),
    Kind(
        code="N08",
        title="候补成功",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "doctor": "医生",
            "date": "就诊时间",
            "pay_before": "最晚支付",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "doctor": "陈知行",
            "date": "11月24日 周二 08:30-09:00",
            "pay_before": "11月23日 18:30 前",
        },
        switch=Switch.TODO,
    ),
    Kind(
        code="N26",
        title="退费通知",
        fields={"amount": "退款金额", "route": "退回账户", "state": "退款状态"},
        sample={
            "amount": "¥1,025.00",
            "route": "招商银行信用卡0403",
            "state": "退款异常，医院正在处理",
        },
    ),
    Kind(
        code="N27",
        title="续诊号",
        fields={
            "patient": "就诊人",
            "department": "科室",
            "time": "就诊时间",
            "number": "就诊序号",
            "fee": "费用",
        },
        sample={
            "patient": "陈*宁",
            "department": "针灸推拿科",
            "time": "11月24日 周二 08:30-09:00",
            "number": "A01号",
            "fee": "免收挂号费",
        },
        switch=Switch.BOOKING,
    ),
    Kind(
        code="N35",
        title="账号变更提醒",
        fields={"patient": "就诊人", "what": "变更内容", "time": "变更时间"},
        sample={
            "patient": "阿*************明",
            "what": "就诊人手机号已更换",
            "time": "11月24日 08:30",
        },
    ),
    Kind(
        code="N38",
        title="系统告警",
        fields={"service": "服务", "level": "级别", "text": "情况", "time": "开始时间"},
        sample={
            "service": "微信支付通知：结果未答复",
            "level": "严重",
            "text": "最久的一笔支付等微信答复 75 分钟了。",
            "time": "11-23 02:15",
        },
        is_urgent=True,
        sms="系统告警（{level}）{service}：{text}始于 {time}。",
        audience="staff",
    ),
    # Not of the handbook's catalogue: whoever asked to be told of a release is told by this (M1.2).
    Kind(
        code="N39",
        title="放号提醒",
        fields={
            "department": "科室",
            "doctor": "医生",
            "date": "出诊时间",
            "release": "放号时间",
        },
        sample={
            "department": "针灸推拿科",
            "doctor": "陈知行",
            "date": "12月1日 周二 上午",
            "release": "11月24日 07:00",
        },
        switch=Switch.TODO,
    ),
    # Not of the handbook's list: what became of the leave somebody of the staff asked for (M15.3).
    Kind(
        code="S01",
        title="请假审批结果",
        fields={"time": "请假时间", "reason": "原因", "result": "结果"},
        sample={
            "time": "11-24 08:00 至 11-27 00:00",
            "reason": "出差",
            "result": "未批准：当天专家门诊已约满，请与科主任商量",
        },
        sms="您 {time} 的请假（{reason}）{result}。",
        audience="staff",
    ),
    # Nor this: what became of the stop a department head asked for (SM1).
    Kind(
        code="S02",
        title="停诊申请结果",
        fields={"session": "出诊", "time": "时间", "result": "结果"},
        sample={
            "session": "骨伤科 陈知行",
            "time": "11-24 08:00",
            "result": "未同意：请副主任替诊",
        },
        sms="停诊申请结果：{session} {time}，{result}。",
        audience="staff",
    ),
)
KINDS: Final = {kind.code: kind for kind in _ALL}
FOR_PATIENTS: Final = tuple(kind for kind in _ALL if kind.audience == "patient")
