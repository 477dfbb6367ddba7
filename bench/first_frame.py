"""From StartSession to the first decoded frame on both sides: two real pages, peer to peer, over and over.

Needs Chromium and a demo that has not been open for half an hour: `telemed up`, then `python -m bench.first_frame`.
"""

import argparse
import asyncio
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from stack.plan import default_data_folder

_ROUNDS = 10
_FLAGS = [
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
]
# When the page asked to be let in, and when the first frame of the other side was there; both on the page's own clock.
_WATCH = """
const first = { asked: 0, seen: 0 };
window.firstFrame = first;
const send = window.fetch;
window.fetch = (path, ...rest) => {
  if (String(path).endsWith("/start")) first.asked = performance.now();
  return send(path, ...rest);
};
addEventListener("DOMContentLoaded", () => {
  const remote = document.getElementById("remote");
  const watch = () => remote.requestVideoFrameCallback((now) => { first.seen ||= now; });
  watch();
});
"""
_SECONDS = "(() => window.firstFrame.seen ? (window.firstFrame.seen - window.firstFrame.asked) / 1000 : 0)()"


async def main(data: Path, rounds: int) -> None:
    """Measures and prints; about three seconds a round."""
    from playwright.async_api import async_playwright  # noqa: PLC0415 - of the development's requirements

    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise SystemExit("no Chromium is installed (Debian: apt-get install chromium)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, headless=True, args=_FLAGS)
        patient, doctor = [await _open(browser, url) for url in _addresses(data)]
        await patient.click("#join:not([disabled])")
        await doctor.click("#join:not([disabled])")
        await doctor.click("#admit")
        for page in (patient, doctor):
            await _seen(page)
        both = [await _round(patient, doctor) for _ in range(rounds)]
        await browser.close()
    for name, seconds in (("who joins", [one for one, _ in both]), ("who is there", [other for _, other in both])):
        print(
            f"{name:<13} median {statistics.median(seconds):.2f} s, {min(seconds):.2f} to {max(seconds):.2f} s, "
            f"{rounds} rounds"
        )


async def _round(patient: Any, doctor: Any) -> tuple[float, float]:
    """The patient's page is loaded again: the seconds from their StartSession to the first frame, here and there."""
    await doctor.evaluate("""(() => {
      const remote = document.getElementById("remote"), first = window.firstFrame;
      first.seen = 0;
      remote.addEventListener("emptied", () =>
        remote.requestVideoFrameCallback(() => { first.seen = performance.timeOrigin + performance.now(); }),
        { once: true });
    })()""")
    await patient.reload()
    here = await _seen(patient)
    asked = await patient.evaluate("performance.timeOrigin + window.firstFrame.asked")
    while not (seen := await doctor.evaluate("window.firstFrame.seen")):  # noqa: ASYNC110 - as below
        await asyncio.sleep(0.05)
    return here, (seen - asked) / 1000


async def _seen(page: Any) -> float:
    while not (seconds := await page.evaluate(_SECONDS)):  # noqa: ASYNC110 - the page tells no event to us
        await asyncio.sleep(0.05)
    return float(seconds)


async def _open(browser: Any, url: str) -> Any:
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()
    await page.add_init_script(_WATCH)
    await page.goto(url)
    return page


def _addresses(data: Path) -> list[str]:
    command = [sys.executable, "-m", "stack.cli", "visit", "--data", str(data)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split()[1] for line in told.splitlines()]


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, default=default_data_folder(), help="the stack's data folder")
    arguments.add_argument("--rounds", type=int, default=_ROUNDS)
    parsed = arguments.parse_args()
    asyncio.run(main(parsed.data, parsed.rounds))
