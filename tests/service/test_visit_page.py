"""The page of a visit as the gateway serves it: its files, the policy around them, and no word of the visit."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from gateway_harness import open_house

from gateway.visit_page import FOLDER
from tests.fix_spans import Spans

SESSION = "5d0f3f0e-53a5-4d5c-8d4e-0a4e4b1f7a11"
SCRIPTS = sorted(path.name for path in FOLDER.glob("*.js"))


@pytest_asyncio.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with open_house(tmp_path) as house, house.client() as found:
        yield found


@pytest.mark.parametrize("path", ["/visit", "/session"])
async def test_the_page_is_there_for_any_session_and_without_a_token(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(f"{path}/{SESSION}")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert SESSION not in page.text, "one page for every visit: nothing in it depends on which"


async def test_the_page_may_run_its_own_files_and_nothing_else(client: httpx.AsyncClient) -> None:
    headers = (await client.get(f"/visit/{SESSION}")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["permissions-policy"].startswith("camera=(self), microphone=(self)")
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_nothing_in_the_page_stands_inline() -> None:
    page = (FOLDER / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)
    for name in SCRIPTS:
        assert "innerHTML" not in (FOLDER / name).read_text(), name


async def test_every_file_that_the_page_asks_for_is_there(client: httpx.AsyncClient) -> None:
    page = (FOLDER / "index.html").read_text()
    wanted = set(re.findall(r'(?:src|href)="(/visit/assets/[^"]+)"', page))
    for name in SCRIPTS:
        wanted |= {f"/visit/assets/{other}" for other in re.findall(r'from "\./([^"]+)"', (FOLDER / name).read_text())}
    assert len(wanted) >= len(SCRIPTS)
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    for path in wanted:
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kinds[Path(path).suffix]), path


@pytest.mark.parametrize(
    "path",
    ["/visit", "/visit/", "/session/7", "/visit/assets/", "/visit/assets/../app.py", "/visit/assets/%2e%2e/app.py"],
)
async def test_there_is_nothing_beside_it(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["reason"]) == (404, "ROUTE_NOT_FOUND")


async def test_it_is_only_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/visit/{SESSION}", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_the_address_of_a_visit_stays_out_of_the_spans(client: httpx.AsyncClient, spans: Spans) -> None:
    await client.get(f"/visit/{SESSION}")
    await client.get("/visit/assets/main.js")
    assert [span.name for span in spans.all()] == ["GET /visit/{session_id}", "GET /visit/assets/{file}"]
    assert SESSION not in str([dict(span.attributes or {}) for span in spans.all()])


def test_the_scripts_can_be_read_at_a_sitting_and_say_what_they_are() -> None:
    for name in SCRIPTS:
        text = (FOLDER / name).read_text()
        assert text.startswith("// "), name
        assert len(text.splitlines()) <= 300, name
