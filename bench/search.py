"""SearchDoctors at 100,000 doctors: each kind of question with the index that answers it, with and without the cache.

`python -m bench.search`: two doctor services on one database, a durable PostgreSQL; some two minutes, most of them for
the doctors.
"""

import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

import psycopg
import uvloop
from telemed.doctor.v1 import search_pb2
from telemed.doctor.v1.search_pb2 import SearchDoctorsRequest

from bench import asking
from bench.clinic import Clinic, Metadata, open_clinic
from bench.load import Call, drive, percentile
from bench.rounds import table
from bench.search_seed import COMMON_WORD, DOCTORS, MISSPELT, NAME, RARE_WORD, add_searched_doctors
from chassis.protos import from_date
from doctor_svc.api.search import to_wish
from doctor_svc.storage.search import conditions_of, params_of, statement
from stack.plan import HOST

if TYPE_CHECKING:
    from telemed.doctor.v1.doctor_service_pb2_grpc import DoctorServiceAsyncStub  # a type alone

CALLS = 60
_NOT_COUNTED = 10  # they prepare the statement on each connection
_PAGE = 20
_INDEX = re.compile(r"(?:Index (?:Only )?Scan(?: Backward)? using|Bitmap Index Scan on) (\w+)")


def _questions() -> dict[str, SearchDoctorsRequest]:
    """One of each kind; the names are those of the table."""
    soon = datetime.now(UTC).date() + timedelta(days=3)
    return {
        "a name": SearchDoctorsRequest(query=NAME),
        "a name, misspelt": SearchDoctorsRequest(query=MISSPELT),
        "a word of one bio in 5,000": SearchDoctorsRequest(query=RARE_WORD),
        "a word of one specialty in ten": SearchDoctorsRequest(query="cardiology"),
        "a word of every bio": SearchDoctorsRequest(query=COMMON_WORD),
        "the same, by rating": SearchDoctorsRequest(query=COMMON_WORD, order_by=search_pb2.DOCTOR_ORDER_RATING),
        "four filters": SearchDoctorsRequest(
            specialty="Cardiology", language="pt", license_jurisdiction="US-NY", min_rating=4
        ),
        "free on a day": SearchDoctorsRequest(available_on=from_date(soon)),
        "a specialty, free on a day": SearchDoctorsRequest(specialty="Urology", available_on=from_date(soon)),
    }


async def main() -> None:
    """Measures and prints."""
    print(f"bench.search: {DOCTORS:,} doctors; seeding takes a while\n", flush=True)
    async with open_clinic() as clinic, AsyncExitStack() as stack:
        await add_searched_doctors(clinic.urls["doctor"])
        # Beside the first, on the same database, one that keeps no answers.
        no_cache = {"DOCTOR_SEARCH_CACHE_TTL_SECONDS": "0"}
        uncached = clinic.another_doctor_service("uncached", clinic.spare_port(), no_cache)
        await stack.enter_async_context(clinic.running(["appointment", "doctor"], uncached))
        caller = clinic.metadata()
        kept = (await asking.stubs_of(stack, clinic.target("doctor")))[0]
        read = (await asking.stubs_of(stack, f"{HOST}:{uncached.port}"))[0]
        rows = []
        for name, request in _questions().items():
            request.page_size = _PAGE
            found = await read.SearchDoctors(request, metadata=caller, timeout=asking.CALL_SECONDS)
            told = [figure for stub in (read, kept) for figure in await _latencies(stub, request, caller)]
            rows.append((name, str(len(found.doctors)), *told, await _indexes(clinic, request)))
    table(["milliseconds", "found", "p50", "p95", "p50 kept", "p95 kept", "by"], rows)


async def _latencies(
    stub: "DoctorServiceAsyncStub", request: SearchDoctorsRequest, caller: Metadata
) -> tuple[str, str]:
    load = await drive(_calls(stub, request, caller), clients=1)
    if load.failures:
        raise RuntimeError(f"searches failed: {load.failures}")
    milliseconds = [seconds * 1000 for seconds in load.latencies[_NOT_COUNTED:]]
    return f"{percentile(milliseconds, 50):.1f}", f"{percentile(milliseconds, 95):.1f}"


def _calls(stub: "DoctorServiceAsyncStub", request: SearchDoctorsRequest, caller: Metadata) -> Iterator[Call]:
    call = partial(stub.SearchDoctors, request, metadata=caller, timeout=asking.CALL_SECONDS)
    return repeat(call, CALLS + _NOT_COUNTED)


async def _indexes(clinic: Clinic, request: SearchDoctorsRequest) -> str:
    """The indexes in the plan that is run for a question, but for the one that reads whom a page shows."""
    wish = to_wish(request)
    query = statement(wish.order, conditions_of(wish), is_worded=bool(wish.query), goes_on=False)
    async with await psycopg.AsyncConnection.connect(clinic.urls["doctor"]) as connection:
        cursor = await connection.execute(f"EXPLAIN {query.text}", params_of(wish, None, _PAGE + 1))
        plan = "\n".join(row[0] for row in await cursor.fetchall())
    names = dict.fromkeys(_INDEX.findall(plan))
    return ", ".join(name for name in names if name != "doctor_pkey") or "none"


if __name__ == "__main__":
    uvloop.run(main())
