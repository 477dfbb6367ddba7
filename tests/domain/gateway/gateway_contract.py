"""The contract of everything.proto, compiled when the tests begin."""

import tempfile
from pathlib import Path
from types import ModuleType

import google.api
import grpc_tools
from google.api import annotations_pb2
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from google.protobuf.message_factory import GetMessageClass
from google.type import date_pb2, timeofday_pb2
from grpc_tools import protoc

# The compiled file refers to these, so they have to be in the pool before it is.
NEEDED: tuple[ModuleType, ...] = (
    annotations_pb2,
    date_pb2,
    duration_pb2,
    field_mask_pb2,
    struct_pb2,
    timeofday_pb2,
    timestamp_pb2,
    wrappers_pb2,
)


def compile_contract(folder: Path, file: str) -> descriptor_pb2.FileDescriptorProto:
    """The descriptor of one .proto file. Raises AssertionError when it does not compile."""
    wellknown = Path(grpc_tools.__file__).parent / "_proto"
    annotations = Path(next(iter(google.api.__path__))).parent.parent
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "set.bin"
        includes = [f"-I{path}" for path in (folder, wellknown, annotations)]
        assert protoc.main(["protoc", *includes, f"--descriptor_set_out={out}", file]) == 0
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file[0]


_pool = descriptor_pool.Default()
_pool.Add(compile_contract(Path(__file__).parent, "everything.proto"))
SHELVES = _pool.FindServiceByName("testing.gateway.v1.Shelves")
EVERYTHING = _pool.FindMessageTypeByName("testing.gateway.v1.Everything")
Everything = GetMessageClass(EVERYTHING)
