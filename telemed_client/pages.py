"""Lists as iterators: the next page is asked for when the items of the last one are used up."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from google.protobuf.message import Message


class _Page(Protocol):
    next_page_token: str


Request = TypeVar("Request", bound=Message)
Page = TypeVar("Page", bound=_Page)
Item = TypeVar("Item")


def each(
    method: Callable[[Request], Page], request: Request, items: Callable[[Page], Iterable[Item]]
) -> Iterator[Item]:
    """Every item of a list: `each(client.doctors.SearchDoctors, SearchDoctorsRequest(), lambda page: page.doctors)`."""
    asked = _copy(request)
    while True:
        page = method(asked)
        yield from items(page)
        if not page.next_page_token:
            return
        asked = _after(asked, page)


async def each_async(
    method: Callable[[Request], Awaitable[Page]], request: Request, items: Callable[[Page], Iterable[Item]]
) -> AsyncIterator[Item]:
    """The same for asyncio."""
    asked = _copy(request)
    while True:
        page = await method(asked)
        for item in items(page):
            yield item
        if not page.next_page_token:
            return
        asked = _after(asked, page)


def _copy(request: Request) -> Request:
    asked = type(request)()
    asked.CopyFrom(request)
    return asked


def _after(request: Request, page: _Page) -> Request:
    asked = _copy(request)
    asked.page_token = page.next_page_token  # type: ignore[attr-defined]  # every list of the contract has it
    return asked
