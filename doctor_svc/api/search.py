"""Searches between the contract and the domain, and the tokens of their pages."""

import base64
import binascii
import json
import math
import re
from hashlib import sha256
from typing import Any

from telemed.doctor.v1 import search_pb2

from chassis.enum_map import EnumMap
from chassis.ids import parse_uuid
from chassis.protos import to_optional_date
from doctor_svc.api.fields import optional_kind
from doctor_svc.api.profiles import from_doctor
from doctor_svc.app.search_doctors import SearchPage
from doctor_svc.domain.doctor import MAX_YEARS, is_jurisdiction, is_language
from doctor_svc.domain.search import Order, Position, SearchWish
from doctor_svc.domain.specialties import specialty_key
from doctor_svc.domain.window import CALENDAR_YEARS
from kernel.appointment_types import AppointmentType
from kernel.errors import InvalidArgument

_ORDERS = EnumMap(search_pb2.DoctorOrder.DESCRIPTOR, Order)
_MAX_QUERY = 200
_MAX_SPECIALTY = 100
_MAX_RATING = 5.0
_LARGEST_KEY = 10_000
_SPACES = re.compile(r"\s+")


def to_wish(request: search_pb2.SearchDoctorsRequest) -> SearchWish:
    """Whom to find. Raises InvalidArgument."""
    day = to_optional_date(request, "available_on")
    if day is not None and day.year not in CALENDAR_YEARS:
        raise InvalidArgument.of("available_on", "must be a date from 1970-01-01 to 9998-12-31")
    if not (request.min_rating == 0 or 1 <= request.min_rating <= _MAX_RATING):
        raise InvalidArgument.of("min_rating", "must be 1 to 5, or 0 for any")
    if not 0 <= request.min_years_experience <= MAX_YEARS:
        raise InvalidArgument.of("min_years_experience", f"must be 0 to {MAX_YEARS}")
    query = _line("query", request.query, _MAX_QUERY)
    return SearchWish(
        query=query,
        specialty=specialty_key(_line("specialty", request.specialty, _MAX_SPECIALTY)),
        language=_language(request.language),
        jurisdictions=_jurisdictions(request.license_jurisdiction),
        min_rating=request.min_rating,
        min_years_experience=request.min_years_experience,
        verified=request.verified if request.HasField("verified") else True,
        active=request.active if request.HasField("active") else True,
        available_on=day,
        kind=_kind(request),
        order=_order(request.order_by, query),
    )


def to_position(token: str, wish: SearchWish) -> Position | None:
    """Where the page before ended; None for the first. Raises InvalidArgument for a token of another search."""
    if not token:
        return None
    position = _position(token, wish)
    if position is None:
        raise InvalidArgument.of("page_token", "must be the next_page_token of the page before, of the same search")
    return position


def from_page(page: SearchPage, wish: SearchWish) -> search_pb2.SearchDoctorsResponse:
    """The doctors found."""
    return search_pb2.SearchDoctorsResponse(
        doctors=map(from_doctor, page.doctors), next_page_token=_token(page.next, wish) if page.next else ""
    )


def _token(position: Position, wish: SearchWish) -> str:
    text = json.dumps([_mark(wish), position.doctor_id, *position.keys])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _mark(wish: SearchWish) -> str:
    """What tells one search from another: a position means nothing in the order of another."""
    return sha256(repr(wish).encode()).hexdigest()[:16]


def _position(token: str, wish: SearchWish) -> Position | None:
    """The position in a token; None when no answer of ours to this search can have given it."""
    try:
        mark, doctor_id, *keys = json.loads(base64.b64decode(token.encode(), b"-_", validate=True))
        types = wish.order.key_types
        if mark != _mark(wish) or len(keys) != len(types) or not all(map(_is_key, keys, types)):
            return None
        return Position(tuple(keys), parse_uuid(doctor_id, "page_token"))
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError, InvalidArgument):
        return None


def _is_key(key: Any, kind: type) -> bool:
    if isinstance(key, str):
        return kind is str and key.isprintable()
    if not isinstance(key, int | float) or type(key) is not kind:
        return False
    return math.isfinite(key) and abs(key) <= _LARGEST_KEY


def _order(number: int, query: str) -> Order:
    wished = _ORDERS.optional(number, "order_by") or Order.RELEVANCE
    return Order.RATING if wished is Order.RELEVANCE and not query else wished


def _kind(request: search_pb2.SearchDoctorsRequest) -> AppointmentType | None:
    kind = optional_kind(request.appointment_type, "appointment_type")
    if kind is not None and not request.HasField("available_on"):
        raise InvalidArgument.of("appointment_type", "is for a visit on available_on, which must be given too")
    return kind


def _line(field: str, text: str, longest: int) -> str:
    joined = _SPACES.sub(" ", text).strip()
    if len(joined) > longest or not joined.isprintable():
        raise InvalidArgument.of(field, f"must be at most {longest} characters of text")
    return joined


def _language(tag: str) -> str:
    if tag and not is_language(tag):
        raise InvalidArgument.of("language", "must be a BCP 47 tag such as en or pt-BR")
    return tag.lower()


def _jurisdictions(text: str) -> tuple[str, ...]:
    """The code itself and, for a state, its country."""
    code = text.strip().upper()
    if not code:
        return ()
    if not is_jurisdiction(code):
        raise InvalidArgument.of("license_jurisdiction", "must be an ISO 3166 code such as US-NY or GB")
    return tuple(dict.fromkeys((code, code.partition("-")[0])))
