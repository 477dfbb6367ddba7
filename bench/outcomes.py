"""What became of the calls of a load: every outcome, told in gRPC's codes."""

from collections import Counter
from dataclasses import dataclass, field

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one call came to. `code` is gRPC's, also of an HTTP answer; LOST is a connection that broke.

    `began` and `ended` are of time.monotonic; `tells_when` is whether a refusal said when to come again.
    """

    operation: str
    code: str
    reason: str
    began: float
    ended: float
    tells_when: bool = False

    @property
    def seconds(self) -> float:
        """How long the caller waited."""
        return self.ended - self.began


@dataclass(slots=True)
class Tally:
    """Every outcome, in the order of their ends, and the appointments that callers were told of."""

    outcomes: list[Outcome] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)

    @property
    def failed(self) -> list[Outcome]:
        """Those that are not OK."""
        return [one for one in self.outcomes if one.code != "OK"]

    def lines(self) -> list[str]:
        """Counts by operation and code."""
        counts = Counter((one.operation, one.code, one.reason) for one in self.outcomes)
        return [f"{count:>8,}  {' '.join(key)}" for key, count in sorted(counts.items())]


def told_by(error: grpc.aio.AioRpcError) -> tuple[str, bool]:
    """The reason of a refusal, or gRPC's own words where no service spoke; whether it says when to come again."""
    status = rpc_status.from_call(error)
    reason, tells_when = "" if status else f"({(error.details() or '')[:90]})", False
    for detail in status.details if status else ():
        info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
        tells_when = tells_when or detail.Unpack(retry)
    return reason, tells_when
