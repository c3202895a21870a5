#!/usr/bin/python3
"""The status page in a real browser: told by e2e/fake/84-page.sh what happens, it looks at what is seen.

    page.py URL FOLDER STORY-URL

Prints "ok ..." and "not ok ..." lines. It talks to the script by files in FOLDER: it writes "want"
(what is to happen next) and waits until the script has taken it away. With KIND_SCREENSHOTS, a
folder, it leaves pictures there.
"""
import os
import sys
import tempfile
import time

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WAIT_S = 60
url, folder, story = sys.argv[1:4]
pictures = os.environ.get("KIND_SCREENSHOTS")
bad = 0

# Text and what it stands on: the worst contrast of all that is seen, by WCAG's formula.
CONTRAST = """
const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4);
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const ground = (node) => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.length === 3 || color[3] > 0.99) return color;
  }
  return [255, 255, 255];
};
let worst = [99, ""];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const box = node.getBoundingClientRect();
  if (!own || box.width < 2 || box.height < 2 || node.closest("noscript, .skip, .unseen")) continue;
  const a = light(parse(getComputedStyle(node).color)), b = light(ground(node));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < worst[0]) worst = [ratio, node.tagName + "." + node.className + ": " + node.textContent.slice(0, 40)];
}
return worst;
"""
NAMELESS = """
return [...document.querySelectorAll("button, input, progress, a")].filter((node) =>
  !(node.textContent.trim() || node.getAttribute("aria-label") || node.closest("label"))).map((node) => node.outerHTML);
"""


def browser():
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     "--hide-scrollbars", "--window-size=1400,1000", "--disable-background-networking",
                     "--no-first-run", "--user-data-dir=" + tempfile.mkdtemp(dir=folder)):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def started():
    """On a machine that is very busy a browser may not come up in time; then another does."""
    for attempt in range(3):
        try:
            return browser()
        except WebDriverException as error:
            print(f"the browser does not start: {error.msg}", flush=True)
            time.sleep(1 + attempt)
    sys.exit(1)


def ok(what, good, more=""):
    global bad
    print(("ok " if good else "not ok ") + what + ("" if good else ": " + str(more)), flush=True)
    bad += not good


def expect(what, get, want):
    """Until it is so, or for too long."""
    end, got = time.time() + WAIT_S, None
    while time.time() < end:
        try:
            got = get()
            if want(got):
                return ok(what, True)
        except Exception as error:  # what is looked at may be painted anew meanwhile
            got = error
        time.sleep(0.05)
    ok(what, False, repr(got)[:600])


def happen(what):
    path = os.path.join(folder, "want")
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(what)
    os.rename(path + ".new", path)
    end = time.time() + WAIT_S
    while os.path.exists(path) and time.time() < end:
        time.sleep(0.02)


page = started()


def run(script, *arguments):
    return page.execute_script(script, *arguments)


def text(selector):
    return run("const n = document.querySelector(arguments[0]); return n ? n.innerText : ''", selector)


def card(name):
    return text(f".card:has([aria-controls='cluster-{name}'])")


def group_of(name):
    return run("const n = document.querySelector(arguments[0]); return n ? n.closest('.group').dataset.group : ''",
               f"[aria-controls='cluster-{name}']")


def picture(name):
    if pictures:
        time.sleep(0.4)
        page.save_screenshot(os.path.join(pictures, name + ".png"))


def screen(width, height, scheme):
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                         {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia",
                         {"features": [{"name": "prefers-color-scheme", "value": scheme}]})


def check_looks(what):
    """All that is seen can be read, in both schemes; nothing is wider than the screen."""
    for width, height in ((1400, 1000), (360, 740)):
        for scheme in ("light", "dark"):
            screen(width, height, scheme)
            ratio, where = run(CONTRAST)
            ok(f"{what}: contrast at {width}, {scheme}", ratio >= 4.5, f"{ratio:.2f} {where}")
            picture(f"{what}-{width}-{scheme}".replace(" ", "-"))
        wide = run("return document.documentElement.scrollWidth - innerWidth")
        ok(f"{what}: nothing sticks out at {width}", wide <= 0, wide)
    screen(1400, 1000, "light")


def tell_the_story():
    page.get(url)
    expect("the page is live", lambda: text("#link"), lambda got: "live" in got)
    expect("a cluster appears, and is Ready", lambda: group_of("a"), lambda got: got == "well")
    ok("the sum says so", "1 well" in text("#sum"), text("#sum"))
    picture("story-1-well")

    happen("fail")
    expect("another fails", lambda: group_of("b"), lambda got: got == "bad")
    expect("it explains itself: cause", lambda: card("b"), lambda got: "inotify instances are used up" in got)
    expect("evidence", lambda: card("b"), lambda got: "too many open files" in got)
    expect("cure", lambda: card("b"), lambda got: "max_user_instances" in got and "Copy" in got)
    expect("next try", lambda: card("b"), lambda got: "tries again" in got or "tried now" in got)
    expect("the title warns", lambda: page.title, lambda got: got.startswith("(1)"))
    expect("it is said to those who hear", lambda: run("return document.getElementById('said').textContent"),
           lambda got: got.startswith("b: "))
    ok("no secret is told", "hunter2" not in page.page_source)
    picture("story-2-failed")
    check_looks("failed")

    happen("recover")
    expect("it recovers", lambda: group_of("b"), lambda got: got == "well")
    ok("and the failure is gone", "inotify" not in text("#clusters"))
    expect("the title is calm", lambda: page.title, lambda got: not got.startswith("("))

    happen("break")
    expect("a broken file is refused, with its place", lambda: text("#sources"),
           lambda got: "is refused" in got and "c.yaml:" in got and "stays in force" in got)
    ok("what it holds is text", run("return document.querySelectorAll('#sources img, #sources script').length") == 0)
    ok("nothing of it was run", run("return window.owned === undefined"))
    picture("story-3-refused")
    happen("mend")
    expect("a mended one is taken, and its cluster goes", lambda: [text("#sources"), group_of("a")],
           lambda got: "refused" not in got[0] and got[1] == "")
    expect("what went is told", lambda: text("#events"), lambda got: "deleted" in got)

    happen("end the watcher")
    expect("the page knows that it is alone", lambda: text("#link"), lambda got: "not connected" in got)
    expect("and says that all is old", lambda: text("#stale"), lambda got: "may be old" in got)
    happen("start the watcher")
    expect("it finds the next watcher by itself", lambda: text("#link"), lambda got: "live" in got)
    expect("and shows each cluster once", lambda: run("return document.querySelectorAll('.card').length"),
           lambda got: got == 1)


def show_many():
    began = time.time()
    page.get(story)
    expect("200 clusters are shown", lambda: run("return document.querySelectorAll('.card').length"),
           lambda got: got == 207)
    ok("soon", time.time() - began < 10, time.time() - began)
    groups = run("return [...document.querySelectorAll('.group:not([hidden])')].map((n) => n.dataset.group)")
    ok("what is not well comes first", groups == ["bad", "work", "held", "well"], groups)
    page.find_element(By.TAG_NAME, "body").send_keys("/")
    ok("a key leads to the filter", run("return document.activeElement.id") == "find")
    page.switch_to.active_element.send_keys("team-c-1")
    expect("it filters", lambda: run("return document.querySelectorAll('.card').length"), lambda got: got == 10)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    expect("and ends", lambda: run("return document.querySelectorAll('.card').length"), lambda got: got == 207)
    page.find_element(By.ID, "only").click()
    expect("only what is not well", lambda: run("return document.querySelectorAll('.card').length"),
           lambda got: 10 < got < 30)
    page.find_element(By.ID, "only").click()
    expect("and all again", lambda: run("return document.querySelectorAll('.card').length"), lambda got: got == 207)
    head = "[aria-controls='cluster-team-a-01']"
    run("document.querySelector(arguments[0]).focus()", head)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    expect("a card opens by the keyboard", lambda: card("team-a-01"), lambda got: "control-plane" in got)
    ok("and says so", page.find_element(By.CSS_SELECTOR, head).get_attribute("aria-expanded") == "true")
    page.switch_to.active_element.send_keys(Keys.SPACE)
    expect("and closes", lambda: card("team-a-01"), lambda got: "Container" not in got)
    nameless = run(NAMELESS)
    ok("everything that can be used has a name", not nameless, nameless)
    check_looks("many")


try:
    tell_the_story()
    show_many()
    entries = [entry for entry in page.get_log("browser") if "/api/v1/events" not in entry["message"]]
    ok("the browser has nothing to complain of", not entries, entries)
except WebDriverException as error:
    ok("the browser goes on", False, error.msg)
finally:
    page.quit()
sys.exit(bad > 0)
