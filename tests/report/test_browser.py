"""A page works in a browser: clicks, zoom, keys, themes, print, and no error."""

import shutil

import numpy as np
import pandas as pd
import pytest

from skcoad import NeighborsDetector
from skcoad.report import _arrays

pytest.importorskip("plotly", reason="plotly is not installed")
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed"
)
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
if CHROMIUM is None:
    pytest.skip("chromium is not installed", allow_module_level=True)

RANGE = "document.getElementById('chart').layout.xaxis.range.map(Number)"
HOSTILE = "<img src=x onerror=alert(1)>"


def write(path, wave, n_channels):
    X = wave(900, n_channels)
    X[700:740, 1] = 0.31
    X[800:804, 0] += 4
    names = [HOSTILE, *(f"pump_{i}" for i in range(1, n_channels))]
    frame = pd.DataFrame(X, columns=names)
    detector = NeighborsDetector(contamination=0.002).fit(frame[:500])
    detector.report(frame, title=HOSTILE, start=500).save(path)


@pytest.fixture(scope="module")
def pages(wave, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    for name, n_channels in (("few", 2), ("many", 8)):
        write(folder / f"{name}.html", wave, n_channels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_arrays, "MAX_NUMBERS", 1000)
        write(folder / "long.html", wave, 2)
    return folder


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, pages):
    """Open a page; whatever it complains about fails the test."""
    complaints, context = (
        [],
        browser.new_context(color_scheme="light", offline=True, bypass_csp=True),
    )
    context.set_default_timeout(60_000)

    def visit(name):
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.goto(f"file://{pages}/{name}.html")
        page.wait_for_selector("#chart .main-svg")
        return page

    yield visit
    context.close()
    assert complaints == []


def test_a_click_on_a_segment_explains_it_and_zooms(visit):
    page = visit("few")
    assert page.inner_text("h1") == HOSTILE
    assert page.is_hidden("#explanation")
    first, last = page.evaluate(RANGE)
    assert (first, last) == (0, 899)
    row = page.locator("#segments tbody tr", has_text="0.31 instead")
    row.click()
    page.wait_for_selector(".detail .main-svg")
    page.wait_for_function(f"{RANGE}[0] > 0")
    assert "was flat at 0.31" in page.inner_text("#summary")
    assert row.get_attribute("aria-selected") == "true"
    values = page.locator("#parts td.number").all_inner_texts()
    assert sum(map(float, values[:-1])) == pytest.approx(float(values[-1]), abs=0.05)
    first, last = page.evaluate(RANGE)
    assert 0 < first < 700
    assert last > 740
    page.click("[data-move=all]")
    page.wait_for_function(f"{RANGE}[0] === 0")


def test_of_a_series_in_buckets_each_timestamp_around_a_segment_is_drawn(visit):
    page = visit("long")
    assert "each 9 timestamps" in page.inner_text("#resolution")
    page.locator("#segments tbody tr", has_text="pump_1").first.click()
    page.wait_for_function(f"{RANGE}[0] > 0")
    drawn = page.evaluate(
        "(({x, y}) => y.filter((_, i) => x[i] >= 705 && x[i] < 735))"
        "(document.getElementById('chart').data.find((t) => t.name === 'pump_1'))"
    )
    assert np.allclose(drawn, 0.31)
    assert len(drawn) >= 30


def test_zoom_by_mouse_buttons_and_keys(visit):
    page = visit("few")
    box = page.locator("#chart .nsewdrag").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], y, steps=4)
    page.mouse.up()
    page.wait_for_function(f"{RANGE}[0] > 200")
    assert np.allclose(page.evaluate(RANGE), [0.25 * 899, 0.75 * 899], atol=10)
    for press, condition in (
        ("+", f"{RANGE}[1] - {RANGE}[0] < 300"),
        ("ArrowRight", f"{RANGE}[0] > 360"),
        ("-", f"{RANGE}[1] - {RANGE}[0] > 400"),
        ("0", f"{RANGE}[0] === 0 && {RANGE}[1] === 899"),
    ):
        page.focus("#chart")
        page.keyboard.press(press)
        page.wait_for_function(condition)


def test_the_table_is_sorted_and_used_by_keys(visit):
    page = visit("few")
    column = "#segments tbody tr td:nth-child({})"
    scores = [float(t) for t in page.locator(column.format(4)).all_inner_texts()]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) >= 2
    page.click("#segments th:nth-child(2) button")
    starts = [int(t) for t in page.locator(column.format(2)).all_inner_texts()]
    assert starts == sorted(starts)
    assert page.get_attribute("#segments th:nth-child(2)", "aria-sort") == "ascending"
    page.focus("#segments tbody tr")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".detail .main-svg")
    selected = page.locator("#segments tr[aria-selected=true]")
    assert selected.count() == 1
    assert selected.locator("td").nth(1).inner_text() == str(starts[1])


def test_many_channels_are_a_heat_map_from_which_one_is_chosen(visit):
    page = visit("many")
    traces = "document.getElementById('chart').data"
    assert page.evaluate(f"{traces}.filter((t) => t.type === 'heatmap').length") == 1
    assert page.evaluate(f"{traces}.find((t) => t.type === 'heatmap').z.length") == 8
    page.select_option("#channel", "5")
    page.wait_for_function(f"{traces}[1].name === 'pump_5'")


def test_dark_and_print(visit):
    page = visit("few")
    background = "document.getElementById('chart').layout.paper_bgcolor"
    assert page.evaluate(background) == "#ffffff"
    page.click("#theme")
    page.wait_for_function(f"{background} === '#16181b'")
    page.click("#segments tbody tr")
    assert len(page.pdf()) > 10_000
    page.wait_for_function(f"{background} === '#16181b'")
    page.emulate_media(media="print")
    assert page.is_hidden("#theme")
    assert page.is_visible("#summary")
