"""Reads what a refused call said."""

from collections.abc import Awaitable
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status


async def refusal(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """The refusal of a call; fails when the call succeeds."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason in the ErrorInfo."""
    return detail(error, error_details_pb2.ErrorInfo()).reason


def fields_of(error: grpc.aio.AioRpcError) -> list[str]:
    """The fields that the BadRequest names."""
    return [violation.field for violation in detail(error, error_details_pb2.BadRequest()).field_violations]


def rules_of(error: grpc.aio.AioRpcError) -> list[str]:
    """The reasons of all failing rules, that of the refusal first."""
    return [violation.type for violation in detail(error, error_details_pb2.PreconditionFailure()).violations]


def detail(error: grpc.aio.AioRpcError, message: Any) -> Any:
    """The detail of that type, read into the message."""
    status = rpc_status.from_call(error)
    assert status is not None, f"{error.code()} without details: {error.details()}"
    assert any(packed.Unpack(message) for packed in status.details), f"no {type(message).__name__} in {status}"
    return message
