"""Components with logic: what they draw, and what they refuse."""

import datetime as dt

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.utils.safestring import SafeString

from hospital.kernel import clock
from hospital.ui import components


def render(source: str, **context: object) -> str:
    return Template("{% load ui %}" + source).render(Context(context))


class Visit(forms.Form):
    name = forms.CharField(label="姓名", help_text="与证件一致")
    sex = forms.ChoiceField(
        label="性别", choices=[("male", "男"), ("female", "女")], widget=forms.RadioSelect
    )


def test_a_field_ties_hint_and_errors_to_its_control() -> None:
    html = render("{% field form.name %}", form=Visit({"name": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_name-error id_name-hint"' in html
    assert 'id="id_name-error"' in html
    assert 'id="id_name-hint"' in html


def test_a_half_filled_form_survives() -> None:
    form = Visit({"name": "<张&明>", "sex": ""})
    html = render("{% field form.name %}{% field form.sex %}", form=form)
    assert 'value="&lt;张&amp;明&gt;"' in html
    assert 'role="group" aria-labelledby="id_sex-label"' in html


def test_a_field_without_trouble_says_nothing() -> None:
    html = render("{% field form.name hint='请填写' label='全名' %}", form=Visit())
    assert "aria-invalid" not in html
    assert "全名" in html
    assert "请填写" in html


def test_the_countdown_counts_what_is_left() -> None:
    until = clock.now() + dt.timedelta(minutes=14, seconds=31.5)
    html = render('{% hold until=until text="请在 | 内支付" %}', until=until)
    assert 'data-left="872"' in html
    assert "14:32" in html
    assert "请在 <b" in html


def test_a_long_countdown_counts_hours() -> None:
    until = clock.now() + dt.timedelta(hours=1, minutes=59, seconds=9.5)
    assert "1:59:10" in render('{% hold until=until text="|" %}', until=until)


def test_a_countdown_that_is_over_stands_at_zero() -> None:
    html = render('{% hold until=until text="|" %}', until=clock.now() - dt.timedelta(days=1))
    assert 'data-left="0"' in html


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(ValueError, match="no icon"):
        components.icon("unicorn")
    with pytest.raises((ValueError, TemplateSyntaxError)):
        render('{% icon "unicorn" %}')


def test_amounts_keep_their_sign_and_thousands() -> None:
    assert components.amount(123450) == '<span class="x-amount">¥<b>1,234</b>.50</span>'
    assert "−¥<b>0</b>.05" in components.amount(-5)


def test_blocks_escape_their_arguments_but_not_their_content() -> None:
    html = render("{% card title=title %}<p>{{ title }}</p>{% endcard %}", title="<b>x</b>")
    assert html.count("&lt;b&gt;x&lt;/b&gt;") == 2
    assert "<p>" in html
    assert isinstance(components.key("Ctrl+K", "<搜索>"), SafeString)
    assert "&lt;搜索&gt;" in components.key("Ctrl+K", "<搜索>")


def test_confirm_posts_with_token_and_key() -> None:
    source = (
        '{% confirm id="c" label="取消" title="确定？" text="全额退款" action="/x/" yes="确定"'
        ' tone="danger" key="abc" %}'
    )
    html = render(source, csrf_token="token-of-this-page")
    assert 'name="csrfmiddlewaretoken" value="token-of-this-page"' in html
    assert 'name="key" value="abc"' in html
    assert 'data-opens="c"' in html
    assert 'aria-describedby="c-text"' in html


def test_filters_take_nothing_for_nothing() -> None:
    source = "[{{ a|yuan }}{{ a|clock }}{{ a|day }}{{ a|moment }}{{ a|stamp }}{{ a|age }}]"
    assert render(source, a=None) == "[]"


def test_filters_read_the_hospitals_clock() -> None:
    today = clock.today()
    source = "{{ day|weekday }} {{ starts|clock_to:ends }} {{ code|period }} {{ born|age:day }}"
    html = render(
        source,
        day=today,
        starts=dt.time(8),
        ends=dt.time(8, 30),
        code="am",
        born=today - dt.timedelta(days=3),
    )
    assert html == "今天 08:00–08:30 上午 3天"


def test_a_tables_columns_say_how_they_are_headed() -> None:
    source = '{% data_table label="退款" columns="时间|#金额|-操作" %}<tr></tr>{% enddata_table %}'
    html = "".join(render(source).split())
    assert '<thscope="col">时间</th>' in html
    assert '<thscope="col"class="x-num">金额</th>' in html
    assert '<thscope="col"><spanclass="x-hidden">操作</span></th>' in html
    assert "<tbody><tr></tr></tbody>" in html


def test_a_table_without_columns_is_the_pages_own() -> None:
    source = '{% data_table label="差异" %}<thead><tr></tr></thead>{% enddata_table %}'
    html = "".join(render(source).split())
    assert html.count("<thead>") == 1
    assert "<tbody>" not in html
