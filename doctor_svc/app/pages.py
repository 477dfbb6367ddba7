"""How many things a page of a list holds, the same for every list."""

from kernel.errors import InvalidArgument

LARGEST_PAGE = 200
_USUAL_PAGE = 50


def page_length(page_size: int) -> int:
    """The length that a page_size asks for. Raises InvalidArgument for page_size."""
    if not 0 <= page_size <= LARGEST_PAGE:
        raise InvalidArgument.of("page_size", f"must be 1 to {LARGEST_PAGE}, or 0 for {_USUAL_PAGE}")
    return page_size or _USUAL_PAGE
