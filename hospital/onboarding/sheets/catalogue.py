"""Sheets of the catalogue: 收费项目, 号别, 挂号费."""

from collections.abc import Iterable

from hospital.catalogue import actions, queries
from hospital.catalogue.states import FeeCategory, ServiceKind
from hospital.onboarding.kinds import Choice, Code, Day, Line, Yuan
from hospital.onboarding.sheets.organisation import active, period, refers, refers_to_several
from hospital.onboarding.tables import Book, Column, Problem, Sheet
from hospital.organisation.states import Title

FROM_WHEN = "不填为导入当天；调价时填新价开始的日期，旧价自动保留到前一天"


def _active_items(book: Book) -> Iterable[Problem]:
    """A fee of an item that is switched off would leave its clinic without a price."""
    items = book.by_code(PRICE_ITEMS.title)
    for row in book.of(SERVICE_FEES.title):
        for code in row.values.get("price_items") or []:
            if code in items and not items[code].values.get("is_active", True):
                yield row.problem("price_items", f"收费项目“{code}”已停用")


PRICE_ITEMS = Sheet(
    title="收费项目",
    note="收费项目和单价。改单价不会改历史：系统从生效日期起用新价。",
    key=("code",),
    name_field="name",
    save=actions.save_price_item,
    names=queries.price_item_names,
    slug="price-items",
    saved=lambda today: queries.price_item_rows(on=today),
    listed=("code", "name", "category", "unit", "price_fen"),
    acts=("catalogue.save_price_item", "catalogue.set_price"),
    columns=(
        Column("项目编码", "code", Code(), required=True, example="110200001", width=14),
        Column("项目名称", "name", Line(longest=80), required=True, example="普通诊察费", width=30),
        Column(
            "费用类别",
            "category",
            Choice.of(FeeCategory),
            required=True,
            note="收费票据上的类别",
            example="诊察费",
            width=14,
        ),
        Column("单位", "unit", Line(longest=20), required=True, example="次", width=8),
        Column("单价(元)", "price_fen", Yuan(), required=True, example="10.00", width=12),
        Column("生效日期", "valid_from", Day(), note=FROM_WHEN, width=14),
        active("项目"),
    ),
)

SERVICE_TYPES = Sheet(
    title="号别",
    note="患者预约的门诊种类。",
    key=("code",),
    name_field="name",
    save=actions.save_service_type,
    names=queries.service_type_names,
    slug="service-types",
    saved=lambda _: queries.service_type_rows(),
    listed=("code", "name", "kind"),
    acts=("catalogue.save_service_type",),
    columns=(
        Column("号别编码", "code", Code(), required=True, example="PT", width=12),
        Column("号别名称", "name", Line(longest=40), required=True, example="普通门诊", width=18),
        Column("类别", "kind", Choice.of(ServiceKind), required=True, example="普通", width=10),
        active("号别"),
        *period("号别"),
    ),
)

SERVICE_FEES = Sheet(
    title="挂号费",
    note="每个号别按医生职称收哪些项目。“职称”不填的一行用于没有单独列出的职称。",
    key=("service_type", "title"),
    save=actions.save_service_fee,
    checks=(_active_items,),
    slug="fees",
    saved=lambda today: queries.service_fee_rows(on=today),
    listed=("service_type", "title", "price_items"),
    acts=("catalogue.save_service_fee",),
    columns=(
        refers("号别", "service_type", "号别", required=True, example="普通门诊"),
        Column(
            "职称",
            "title",
            Choice.of(Title),
            note="不填表示其余所有职称",
            example="主治医师",
            width=14,
        ),
        refers_to_several(
            "收费项目",
            "price_items",
            "收费项目",
            note="挂一个号要收的全部项目，用“、”隔开",
            example="普通诊察费",
        ),
        Column("生效日期", "valid_from", Day(), note=FROM_WHEN, width=14),
    ),
)
