"""The gallery shows every component there is, in every audience and theme, and renders."""

from pathlib import Path

import pytest
from django.test import RequestFactory

from hospital.ui import components, gallery, icons

UI = Path(gallery.__file__).parent
COMPONENTS = sorted(path.stem for path in (UI / "templates/ui/components").glob("*.html"))
EXAMPLES = sorted(path.stem for path in (UI / "templates/ui/gallery").glob("*.html"))


def page(query: str) -> str:
    response = gallery.gallery(RequestFactory().get(f"/staff/gallery/?{query}"))
    assert response.status_code == 200
    return response.content.decode()


def test_every_component_is_used_by_an_example() -> None:
    """A component nobody can look at is a component nobody checks."""
    shown = "".join(
        path.read_text("utf-8") for path in (UI / "templates/ui/gallery").glob("*.html")
    )
    shown += (UI / "templates/ui/gallery_sheet.html").read_text("utf-8")
    tags = {"form_errors", "hold", "field", "pages", "confirm", "card", "sheet", "banner"}
    tags |= {"bottom_bar", "person_card", "data_table"}
    inside = {"options"}  # the combobox's answer, shown by its own address below
    missing = [
        name
        for name in COMPONENTS
        if name not in inside
        and f"components/{name}.html" not in shown
        and not (name in tags and f"{{% {name} " in shown)
    ]
    assert missing == []


def test_every_example_is_listed() -> None:
    assert sorted(entry.name for entry in gallery.ENTRIES) == EXAMPLES


@pytest.mark.parametrize("entry", gallery.ENTRIES, ids=lambda entry: entry.name)
def test_an_example_renders(entry: gallery.Entry) -> None:
    for audience in entry.audiences:
        html = page(f"audience={audience}&only={entry.name}")
        assert f'id="c-{entry.name}"' in html
        assert "{%" not in html
        assert "{{" not in html


@pytest.mark.parametrize("audience", ["patient", "staff", "screen"])
def test_no_page_needs_an_inline_script_or_style(audience: str) -> None:
    html = page(f"audience={audience}")
    assert " style=" not in html
    assert "<style" not in html
    assert " onclick=" not in html
    assert "<script>" not in html


def test_theme_and_large_type_are_rendered_by_the_server() -> None:
    html = page("theme=dark&care=1")
    assert "data-care" in html
    assert 'data-weui-theme="dark"' in html
    assert 'media="all"' in html
    assert 'media="(prefers-color-scheme: dark)"' in page("")
    assert 'media="not all"' in page("theme=light")


def test_the_combobox_finds_by_initials() -> None:
    assert "针灸推拿科" in page("only=options&department_text=zj")
    assert "没有找到" in page("only=options&department_text=qqq")


def test_icons_of_the_templates_exist() -> None:
    assert {"search", "x", "check", "chevron-right"} <= icons.names()


def test_an_icon_comes_from_the_sprite_that_has_it() -> None:
    vendored = components.icon("search")
    own = components.icon("sliders")

    assert f'href="/static/{icons.VENDORED}#search"' in vendored
    assert 'href="/static/ui/img/icons.svg#sliders"' in own
    with pytest.raises(ValueError, match="no icon 'edlt'"):
        components.icon("edlt")
