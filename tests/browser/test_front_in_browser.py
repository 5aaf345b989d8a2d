"""The front under a person's hand: goal flags, other axes, space, the card at a point, keys, a live refresh."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import choose, close_popover, open_page, open_popover, serve_synthetic, settled
from playwright.sync_api import Browser, Page, expect
from studio_process import Studio
from test_run_in_browser import FRONT, POINT, RANGE

pytestmark = pytest.mark.browser

GOALS = """() => (document.querySelector('.nasight-front').layout.shapes || []).filter((s) => s.type === 'line')
  .map((s) => [s.xref, s.x0, s.y0])"""
FLAG = ".nasight-goal-flag[data-axis={axis}]"
AREA = """() => { const plot = document.querySelector('.nasight-front')
  const box = plot.getBoundingClientRect(), s = plot._fullLayout._size
  return { x: box.x + s.l, y: box.y + s.t, width: s.w, height: s.h } }"""
# Where the k-th point of the front is on the screen when it is drawn in space.
SOLID = """([k]) => {
  const plot = document.querySelector('.nasight-front'), trace = plot.data[2]
  const scene = plot._fullLayout.scene._scene, { xaxis, yaxis, zaxis } = scene.fullSceneLayout
  const at = [xaxis.d2l(trace.x[k]) * scene.dataScale[0], yaxis.d2l(trace.y[k]) * scene.dataScale[1],
    zaxis.d2l(trace.z[k]) * scene.dataScale[2], 1]
  const { model, view, projection } = scene.glplot.cameraParams
  const times = (m, v) => [0, 1, 2, 3].map((r) => v.reduce((sum, x, c) => sum + m[r + 4 * c] * x, 0))
  const seen = times(projection, times(view, times(model, at))), canvas = scene.container.getBoundingClientRect()
  return { x: canvas.x + (0.5 + seen[0] / seen[3] / 2) * canvas.width,
           y: canvas.y + (0.5 - seen[1] / seen[3] / 2) * canvas.height,
           number: trace.customdata[k], count: trace.x.length }
}"""


@pytest.fixture
def drawn(page: Page) -> Page:
    """The page once the front is on it."""
    page.wait_for_selector(f"{FRONT}[data-draws]", timeout=20_000)
    return page


def drag(page: Page, axis: str, x: float, y: float, *, drop: bool = True) -> None:
    """Drag the flag of an axis to a place in the plot, as shares from its left top."""
    box, area = page.locator(FLAG.format(axis=axis)).bounding_box(), page.evaluate(AREA)
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"], steps=6)
    if drop:
        page.mouse.up()


def test_a_goal_is_dragged_into_the_plot_moved_and_dragged_out(drawn: Page) -> None:
    drag(drawn, "y", 0.5, 0.3, drop=False)
    words = drawn.locator(".nasight-goal-words[data-axis=y]")
    expect(words).to_have_text(re.compile(r"ROC AUC ≥ 0\.\d+"))
    told = float((words.text_content() or "").split()[-1])
    drawn.mouse.up()
    expect(drawn.get_by_text(re.compile("Meets the goal|No candidate meets the goal"))).to_be_visible()
    drawn.wait_for_function(f"({GOALS})().length === 1")
    assert drawn.evaluate(GOALS)[0][2] == pytest.approx(told)
    drag(drawn, "x", 0.6, 0.5)
    expect(drawn.get_by_text(re.compile("both goals|meets the goals"))).to_be_visible()
    flag = drawn.locator(FLAG.format(axis="x"))
    expect(flag).to_have_attribute("aria-valuetext", re.compile("Interpretability ≥"))
    drag(drawn, "y", 0.5, -0.4)
    drawn.wait_for_function(f"({GOALS})().length === 1")
    drawn.get_by_label("Remove the goal for Interpretability").click()
    drawn.wait_for_function(f"({GOALS})().length === 0")
    expect(drawn.get_by_text(re.compile("Meets"))).to_have_count(0)


def test_a_goal_is_set_moved_and_removed_with_keys_and_the_popover_knows_it(drawn: Page) -> None:
    flag = drawn.locator(FLAG.format(axis="x"))
    flag.focus()
    flag.press("Enter")
    expect(drawn.get_by_text(re.compile("the goal"))).to_be_visible()
    before = float(flag.get_attribute("aria-valuenow") or "nan")
    flag.press("ArrowRight")
    drawn.wait_for_function(
        "([at]) => Number(document.querySelector('[role=slider][data-axis=x]').ariaValueNow) > at", arg=[before]
    )
    after = float(flag.get_attribute("aria-valuenow") or "nan")
    open_popover(drawn, "Goals")
    expect(drawn.get_by_label("Interpretability at least")).to_have_value(f"{after:.3f}")
    close_popover(drawn)
    flag.focus()
    flag.press("Delete")
    drawn.wait_for_function(f"({GOALS})().length === 0")


def test_escape_leaves_the_goal_where_it_was(drawn: Page) -> None:
    drag(drawn, "x", 0.5, 0.5, drop=False)
    drawn.keyboard.press("Escape")
    drawn.mouse.up()
    expect(drawn.locator(".nasight-goal-words[data-axis=x]")).to_be_hidden()
    assert drawn.evaluate(GOALS) == []


def test_other_axes_have_another_front_and_survive_a_reload(drawn: Page) -> None:
    usual = drawn.evaluate("document.querySelector('.nasight-front').data[2].customdata")
    open_popover(drawn, "View")
    choose(drawn, "To the right", "Parameters")
    drawn.wait_for_function("document.querySelector('.nasight-front').layout.xaxis.type === 'log'")
    drawn.wait_for_url(re.compile("fx=parameters"))
    assert drawn.evaluate("document.querySelector('.nasight-front').data[2].customdata") != usual
    expect(drawn.locator(FLAG.format(axis="x"))).to_be_hidden()  # no goal for parameters
    drawn.reload()
    settled(drawn)
    drawn.wait_for_function("document.querySelector('.nasight-front')?.layout?.xaxis?.type === 'log'")
    expect(drawn.get_by_text(re.compile("further right is better in Parameters"))).to_be_visible()


def test_a_click_in_space_selects_and_the_camera_stays(browser: Browser, studio: Studio) -> None:
    page, watch = open_page(browser, studio.url + "&fz=operations")
    page.wait_for_function("document.querySelector('.nasight-front')?._fullLayout?.scene?._scene?.glplot")
    camera = "document.querySelector('.nasight-front')._fullLayout.scene._scene.getCamera().eye"
    before, area = page.evaluate(camera), page.evaluate(AREA)
    page.mouse.move(area["x"] + 40, area["y"] + 200)
    page.mouse.down()
    page.mouse.move(area["x"] + 200, area["y"] + 230, steps=5)
    page.mouse.up()
    page.wait_for_function(f"Math.abs({camera}.x - {before['x']}) > 0.1")
    page.wait_for_timeout(500)  # the camera comes to rest
    turned = page.evaluate(camera)
    assert "cand=" not in page.url  # turning is no click
    for position in range(page.evaluate(SOLID, [0])["count"]):
        point = page.evaluate(SOLID, [position])
        page.mouse.move(point["x"] - 2, point["y"] - 2)
        page.mouse.move(point["x"], point["y"])
        page.wait_for_timeout(300)  # the picture in space is drawn once more to find what is under the pointer
        if page.locator(".nasight-card").is_visible():
            page.mouse.click(point["x"], point["y"])
            break
    page.wait_for_url(re.compile("cand="))
    settled(page)
    slider = page.get_by_role("slider", name=re.compile("λ"))
    slider.focus()
    slider.press("ArrowRight")
    expect(page.get_by_text(re.compile(r"At λ = 0\.51"))).to_be_visible()
    assert page.evaluate(camera) == pytest.approx(turned, abs=1e-3)
    assert not watch.wrong
    page.context.close()


def test_the_card_at_a_point_tells_what_it_is_and_keys_walk_along_the_front(drawn: Page) -> None:
    point = drawn.evaluate(POINT, [0])
    drawn.mouse.move(point["x"] - 3, point["y"] - 3)
    drawn.mouse.move(point["x"], point["y"])
    card = drawn.locator(".nasight-card")
    expect(card).to_contain_text(re.compile(r"#\d+"))
    expect(card).to_contain_text(re.compile(r"ROC AUC 0\.\d+ ± 0\.\d+"))
    expect(card).to_contain_text("of 30 features")
    drawn.mouse.move(5, 5)
    expect(card).to_be_hidden()
    plot = drawn.locator(FRONT)
    plot.focus()
    plot.press("Home")
    expect(card).to_contain_text(f"#{point['number']}")
    plot.press("ArrowRight")
    second = drawn.evaluate(POINT, [1])["number"]
    expect(card).to_contain_text(f"#{second}")
    plot.press("Enter")
    drawn.wait_for_url(re.compile(r"/candidate\?"))
    expect(drawn.get_by_text(f"#{second}").first).to_be_visible()


def test_uncertainty_is_marked_told_and_listed(drawn: Page) -> None:
    open_popover(drawn, "View")
    for mark in ("knee", "95 % intervals", "P(on the front) as size", "ties at λ"):
        drawn.get_by_test_id("stButtonGroup").get_by_text(mark, exact=True).click()
        settled(drawn)
    expect(drawn.get_by_text(re.compile("of the draws from"))).to_be_visible()
    drawn.wait_for_url(re.compile("fm=knee"))
    names = drawn.evaluate(
        "document.querySelector('.nasight-front').data.filter((t) => t.showlegend).map((t) => t.name)"
    )
    assert {"knee", "100 %"} <= set(names)
    close_popover(drawn)
    open_popover(drawn, "Numbers")
    expect(drawn.get_by_text(re.compile("with 95 % intervals"))).to_be_visible()


# How opaque the canvas is at the right rim of the first ellipse that lies in view, and how many there are.
RIM = """() => {
  const plot = document.querySelector('.nasight-front'), { xaxis, yaxis, _size } = plot._fullLayout
  const ratio = devicePixelRatio, canvas = plot.querySelector('.svg-container > canvas'), front = plot.data[2]
  const rows = plot.data.find((t) => t.ellipses).ellipses
  const [number, , right] = rows.find((r) => r[2] < xaxis.range[1])
  const x = _size.l + xaxis.d2p(right), y = _size.t + yaxis.d2p(front.y[front.customdata.indexOf(number)])
  const seen = canvas.getContext('2d').getImageData(x * ratio - 2, y * ratio - 1, 4, 2).data
  return Math.max(...seen.filter((_, k) => k % 4 === 3))
}"""


def test_ellipses_are_drawn_on_demand_survive_a_reload_and_leave_with_their_name(
    browser: Browser, studio: Studio
) -> None:
    address = (
        studio.url.partition("?")[0] + "?run=example-breast-cancer"
    )  # its measures were taken: they have intervals
    page, watch = open_page(browser, address)
    open_popover(page, "View")
    page.get_by_test_id("stButtonGroup").get_by_text("95 % ellipses", exact=True).click()
    page.wait_for_url(re.compile("fm=ellipses"))
    page.reload()
    settled(page)
    page.wait_for_selector(f"{FRONT}[data-draws]")
    page.wait_for_function(f"({RIM})() > 60")
    names = page.locator(".nasight-front .legendtext").all_text_contents()
    page.locator(".nasight-front .legendtoggle").nth(names.index("95 % ellipse")).click()
    page.wait_for_function(f"({RIM})() === 0")
    assert not watch.wrong
    page.context.close()


def test_the_bar_of_the_front_has_no_button_that_sends_data_away(drawn: Page) -> None:
    named = drawn.evaluate("[...document.querySelectorAll('.nasight-front .modebar-btn')].map((b) => b.dataset.title)")
    assert named, "the front has its buttons for zoom and pan"
    assert not [name for name in named if re.search("cloud|share|plotly", name or "Plotly logo", re.IGNORECASE)]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Studio]:
    """A studio whose run goes on for longer than the tests take."""
    yield from serve_synthetic(Path(tmp_path_factory.mktemp("growing")), candidates=20_000, delay=0.02)


def test_zoom_a_dragged_goal_and_the_element_survive_live_refreshes(browser: Browser, live: Studio) -> None:
    page, watch = open_page(browser, live.url)
    page.wait_for_selector(f"{FRONT}[data-draws]")
    page.wait_for_function("Number(document.querySelector('.nasight-front').dataset.points) > 60", timeout=60_000)
    page.evaluate("document.querySelector('.nasight-front').dataset.mine = 'yes'")
    area = page.evaluate(AREA)
    page.mouse.move(area["x"] + 0.4 * area["width"], area["y"] + 0.1 * area["height"])
    page.mouse.down()
    page.mouse.move(area["x"] + 0.9 * area["width"], area["y"] + 0.8 * area["height"], steps=5)
    page.mouse.up()
    page.wait_for_function(f"{RANGE}[0] > 0.3")
    zoomed = page.evaluate(RANGE)
    drag(page, "y", 0.5, 0.5, drop=False)
    words = page.locator(".nasight-goal-words[data-axis=y]")
    told = words.text_content()
    draws = int(page.locator(FRONT).get_attribute("data-draws") or 0)
    page.wait_for_function(
        f"Number(document.querySelector('.nasight-front').dataset.draws) > {draws} + 2", timeout=30_000
    )
    assert words.text_content() == told
    page.mouse.up()
    page.wait_for_function(f"({GOALS})().length === 1")
    value = page.evaluate(GOALS)[0][2]
    expect(page.get_by_text(re.compile("goal"), exact=False).first).to_be_visible()
    draws = int(page.locator(FRONT).get_attribute("data-draws") or 0)
    seen = page.evaluate(
        f"""([from]) => new Promise((done) => {{ const seen = new Set(), plot = document.querySelector('.nasight-front')
          const look = () => {{ ({GOALS})().forEach((g) => seen.add(g[2])); seen.add(({GOALS})().length)
            Number(plot.dataset.draws) > from + 3 ? done([...seen]) : setTimeout(look, 30) }}
          look() }})""",
        [draws],
    )
    assert set(seen) == {value, 1}  # it never jumped back
    assert page.evaluate(RANGE) == zoomed
    assert page.locator(FRONT).get_attribute("data-mine") == "yes"
    assert page.locator(FRONT).count() == 1
    assert not watch.wrong
    page.context.close()
