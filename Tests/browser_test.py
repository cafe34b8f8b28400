#!/usr/bin/env python3
"""Uses the page of `lmconv serve` as a person would, in a headless Chromium.

    Tests/browser_test.py LMCONV [--run FOLDER] [--pictures FOLDER]

Serves FOLDER, or a run on the embedded digits that it trains for a few steps, and drives the page over WebDriver:
paints out, completes, stops, uploads, and checks what is on the screen against what the program itself computes. Keeps
screenshots in --pictures. Needs Debian's chromium and chromium-driver, and Python's standard library.
"""
import argparse
import base64
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

KEY = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window of a headless Chromium."""

    def __init__(self, scratch):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                self.address = f"http://127.0.0.1:{line.split()[-1].rstrip('.')}"
                break
        else:
            sys.exit("browser_test: chromedriver does not start")
        arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={scratch}/profile",
                     "--no-sandbox"]
        session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = f"/session/{session['sessionId']}"

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.address + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def post(self, path, body):
        return self.call("POST", self.session + path, body)

    def open(self, url):
        self.post("/url", {"url": url})

    def run(self, script, *arguments):
        return self.post("/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector):
        return self.post("/element", {"using": "css selector", "value": selector})[KEY]

    def click(self, selector):
        self.post(f"/element/{self.find(selector)}/click", {})

    def write(self, selector, text):
        element = self.find(selector)
        if self.run("return arguments[0].type", {KEY: element}) in ("text", "number"):
            self.post(f"/element/{element}/clear", {})
        self.post(f"/element/{element}/value", {"text": text})

    def press(self, keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.post("/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def drag(self, places):
        """Moves a pressed pointer through window coordinates."""
        moves = [{"type": "pointerMove", "duration": 30, "x": int(x), "y": int(y)} for x, y in places]
        self.post("/actions", {"actions": [{
            "type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"},
            "actions": moves[:1] + [{"type": "pointerDown", "button": 0}] + moves[1:] + [{"type": "pointerUp", "button": 0}]}]})

    def command(self, name, parameters):
        """A command of Chromium's own protocol."""
        return self.post("/goog/cdp/execute", {"cmd": name, "params": parameters})

    def resize(self, width, height, dark=False):
        self.command("Emulation.setDeviceMetricsOverride",
                     {"width": width, "height": height, "deviceScaleFactor": 2 if width < 600 else 1, "mobile": width < 600})
        self.command("Emulation.setEmulatedMedia",
                     {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        time.sleep(0.4)

    def screenshot(self, path):
        """The whole page, however long."""
        picture = self.command("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": True})
        pathlib.Path(path).write_bytes(base64.b64decode(picture["data"]))

    def wait(self, what, script, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            value = self.run(f"return ({script})")
            if value:
                return value
            time.sleep(0.05)
        problem = self.run("return document.getElementById('problem').textContent")
        raise AssertionError(f"{what} did not come in {seconds} s; the page says: {problem!r}")

    def console(self):
        return [entry["message"] for entry in self.post("/se/log", {"type": "browser"})]

    def close(self):
        try:
            self.call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait()


def png(rows):
    """A PNG file of grey rows."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def levels(path):
    """The uint8 elements of a NumPy file."""
    data = pathlib.Path(path).read_bytes()
    return list(data[10 + struct.unpack("<H", data[8:10])[0]:])


# The red values of completion arguments[0], row by row.
PIXELS = """
const canvas = document.querySelectorAll('#results figure')[arguments[0]].querySelector('canvas:nth-child(' + arguments[1] + ')');
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + arguments[2]]);
"""
READY = "document.getElementById('app').dataset.state === 'ready'"
RUNNING = "document.getElementById('app').dataset.state === 'running'"


def check(claim, condition, found=""):
    if not condition:
        raise AssertionError(f"not so: {claim}; found {found!r}")
    print(f"  {claim}")


def text(browser, identifier):
    return browser.run("return document.getElementById(arguments[0]).textContent", identifier)


def complete(browser):
    browser.click("#complete")
    browser.wait("the end of a completion", f"{READY} && document.getElementById('status').textContent.startsWith('Completed')")


def test(browser, url, lmconv, run, scratch, pictures):
    problems = []
    browser.resize(1400, 900)
    browser.open(url)
    browser.wait("the page", READY)
    browser.wait("the order's picture", "document.getElementById('order-picture').naturalWidth > 0")
    check("the model is described", "28 × 28 pixels, 2 levels." in text(browser, "model"), text(browser, "model"))
    check("every field has a label", browser.run("""
        return [...document.querySelectorAll('input, select, button, canvas, img')].filter((node) =>
          !(node.labels?.length || node.textContent.trim() || node.getAttribute('aria-label') || node.hasAttribute('alt')))
          .map((node) => node.outerHTML)""") == [])

    # Half of a digit, painted out by the button; the pixels of `lmconv complete` for the same seed.
    browser.write("#seed", "7")
    browser.write("#samples", "2")
    browser.write("#pace", "as computed")
    complete(browser)
    subprocess.run([lmconv, "complete", run, "--count", "1", "--missing", "bottom", "--samples", "2", "--seed", "7",
                    "--out", f"{scratch}/c.npy"], check=True, capture_output=True)
    expected = levels(f"{scratch}/c.npy")
    found = [value for sample in range(2) for value in browser.run(PIXELS, sample, 1, 0)]
    check("the pixels on the screen are those of lmconv complete", found == expected)
    heat = browser.run(PIXELS, 0, 2, 3)
    check("the heat map covers what was missing", heat == [0] * 392 + [255] * 392, sum(heat))
    check("the seed is told", "seed 7" in text(browser, "status"), text(browser, "status"))
    check("there is a new seed", browser.run("return document.getElementById('seed').value") != "7")

    # Painting with the pointer, and putting back.
    browser.click("[data-region=none]")
    box = browser.run("const b = document.getElementById('editor').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]")
    def place(row, column):
        return (box[0] + (column + 0.5) * box[2] / 28, box[1] + (row + 0.5) * box[3] / 28)
    count = "return missing.reduce((sum, value) => sum + value, 0)"
    browser.drag([place(5, 5), place(5, 22), place(20, 22)])
    painted = browser.run(count)
    check("a drag paints out a line three pixels wide", painted == 3 * 20 + 3 * 15, painted)
    browser.run("document.querySelector('input[value=show]').click()")
    browser.drag([place(20, 22), place(9, 22)])
    check("restoring puts pixels back", browser.run(count) < painted, browser.run(count))
    browser.run("document.querySelector('input[value=hide]').click()")
    browser.click("[data-region=none]")
    browser.write("#brush", "1 pixel")
    browser.run("document.getElementById('editor').focus()")
    browser.press(["\ue014", " ", "\ue015", " "])
    check("the keyboard paints too", browser.run("return [missing[14 * 28 + 15], missing[15 * 28 + 15]]") == [1, 1])

    # Nothing missing is refused with the server's reason.
    browser.click("[data-region=none]")
    browser.click("#complete")
    browser.wait("the refusal", "!document.getElementById('problem').hidden")
    check("the reason is shown", text(browser, "problem") == "No pixel is missing; paint some out.", text(browser, "problem"))

    # A picture of another size is refused, then fitted.
    (scratch / "large.png").write_bytes(png([[255 if 20 < c < 40 else 0 for c in range(90)] for _ in range(60)]))
    browser.write("#file", str(scratch / "large.png"))
    browser.wait("the refusal", "!document.getElementById('fit').hidden")
    check("a wrong size is refused", text(browser, "problem") == "The picture has 60x90 pixels, this model completes pictures of 28x28.",
          text(browser, "problem"))
    browser.click("#fit")
    browser.wait("the fitted picture", "document.getElementById('problem').hidden && source.image")
    check("a fitted picture is shown", browser.run("return image.length === 784 && image.includes(1) && image.includes(0)"))
    browser.click("[data-region=right]")
    browser.write("#samples", "1")
    complete(browser)
    check("an own picture is completed", browser.run("return results.length") == 1)

    # A long completion appears pixel by pixel, and can be stopped.
    browser.click("#examples button:nth-child(3)")
    browser.wait("the example", "source.example === 2")
    browser.click("[data-region=all]")
    browser.write("#samples", "8")
    browser.write("#pace", "15 seconds")
    browser.click("#complete")
    some = browser.wait("some pixels", "results.length === 8 && results[0].nats.filter((n) => n >= 0).length > 20 "
                        "&& results[0].nats.filter((n) => n >= 0).length")
    check("pixels appear while others are still missing", some < 784, some)
    browser.click("#stop")
    browser.wait("the end", READY)
    check("it is stopped", text(browser, "status") == "Stopped.", text(browser, "status"))

    # What it looks like.
    browser.run("document.getElementById('file').value = ''")
    browser.click("#examples button:nth-child(7)")
    browser.wait("the example", "source.example === 6")
    browser.click("[data-region=bottom]")
    browser.write("#samples", "6")
    browser.write("#pace", "as computed")
    browser.write("#seed", "1")
    complete(browser)
    browser.wait("the order's picture", "document.getElementById('order-picture').naturalWidth > 0")
    time.sleep(0.5)
    for name, width, height, dark in [("desktop", 1400, 900, False), ("dark", 1400, 900, True), ("tablet", 900, 1100, False),
                                      ("phone", 390, 844, False)]:
        browser.resize(width, height, dark)
        overflow = browser.run("return document.documentElement.scrollWidth - arguments[0]", width)
        check(f"nothing is cut off at the sides of a {name} of {width} pixels", overflow <= 0, overflow)
        browser.screenshot(f"{pictures}/{name}.png")
    problems += [line for line in browser.console() if " 422 " not in line]
    check("the browser's console has no complaints", problems == [], problems)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lmconv")
    parser.add_argument("--run", help="a trained run of the embedded digits")
    parser.add_argument("--pictures", help="where screenshots are kept")
    options = parser.parse_args()
    absent = [package for program, package in [("chromium", "chromium"), ("chromedriver", "chromium-driver")]
              if not shutil.which(program)]
    if absent:
        sys.exit(f"browser_test: missing: {' '.join(absent)}; install them: apt-get install -y {' '.join(absent)}")
    lmconv = str(pathlib.Path(options.lmconv).resolve())
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        pictures = pathlib.Path(options.pictures or scratch)
        pictures.mkdir(parents=True, exist_ok=True)
        run = options.run
        if not run:
            run = str(scratch / "run")
            subprocess.run([lmconv, "train", "--run-dir", run, "--set", "training.steps=30", "--set", "evaluation.images=1",
                            "--set", "run.progress=plain"], check=True, capture_output=True)
        server = subprocess.Popen([lmconv, "serve", run, "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            url = server.stdout.readline().strip()
            browser = Browser(scratch)
            try:
                test(browser, url, lmconv, run, scratch, pictures)
            finally:
                browser.close()
        finally:
            server.terminate()
            code = server.wait()
        check("the server ends with 0", code == 0, code)
        print("browser_test: passed" + (f"; screenshots in {pictures}" if options.pictures else ""))


main()
