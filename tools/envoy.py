"""Envoy's gRPC-JSON transcoder before a gRPC server: what the gateway's JSON and its speed are compared with.

Nothing that runs in a clinic knows it. The binary comes with the development dependencies where there is a build.
"""

import base64
import importlib.util
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FileDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

_STOP_SECONDS = 10
_TRANSCODER = "type.googleapis.com/envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"
_ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_HTTP2 = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def binary() -> Path | None:
    """Where Envoy lies; None on a machine for which there is no build."""
    spec = importlib.util.find_spec("envoy")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "_bin" / "envoy"


@dataclass(frozen=True, slots=True)
class Before:
    """What stands behind Envoy: a gRPC server, the full names of its services, and the files that declare them."""

    target: str
    services: Sequence[str]
    files: FileDescriptorSet


def command(envoy: Path, folder: Path, port: int, before: Before) -> list[str]:
    """How to start Envoy on a port of loopback before a gRPC server, its configuration written into a folder."""
    file = folder / "envoy.json"
    file.write_text(json.dumps(configuration(port, before)))
    # One thread, as the gateway is one process; and no shared memory under a name that another Envoy may have.
    return [str(envoy), "-c", str(file), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]


@contextmanager
def running(envoy: Path, folder: Path, port: int, before: Before) -> Iterator[subprocess.Popen[bytes]]:
    """Envoy as a process that ends with the block. It has to be asked before it is known to listen."""
    with (folder / "envoy.log").open("wb") as log:
        process = subprocess.Popen(command(envoy, folder, port, before), stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def configuration(port: int, before: Before) -> dict[str, Any]:
    """A listener that transcodes, as near to the gateway's own rules as Envoy's options come."""
    transcoder = {
        "@type": _TRANSCODER,
        "proto_descriptor_bin": base64.b64encode(before.files.SerializeToString()).decode(),
        "services": list(before.services),
        "print_options": {
            "preserve_proto_field_names": True,
            "always_print_primitive_fields": True,
            "stream_newline_delimited": True,
            "stream_sse_style_delimited": True,
        },
        "convert_grpc_status": True,
        "case_insensitive_enum_parsing": True,
        "query_param_unescape_plus": True,
        "request_validation_options": {"reject_unknown_method": True, "reject_unknown_query_parameters": True},
    }
    manager = {
        "@type": _MANAGER,
        "stat_prefix": "transcoded",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "grpc", "timeout": "10s"}}],
                }
            ]
        },
        "http_filters": [
            {"name": "transcoder", "typed_config": transcoder},
            {"name": "router", "typed_config": {"@type": _ROUTER}},
        ],
    }
    host, _, upstream_port = before.target.rpartition(":")
    cluster = {
        "name": "grpc",
        "connect_timeout": "2s",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP2,
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": "grpc",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(host, int(upstream_port))}}]}],
        },
    }
    listener = {
        "name": "http",
        "address": _address("127.0.0.1", port),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def files_of(services: Sequence[ServiceDescriptor]) -> FileDescriptorSet:
    """The files of the services and all that they import, a file after those that it needs."""
    found: dict[str, FileDescriptorProto] = {}

    def add(file: FileDescriptor) -> None:
        if file.name in found:
            return
        for needed in file.dependencies:
            add(needed)
        proto = FileDescriptorProto()
        file.CopyToProto(proto)
        found[file.name] = proto

    for service in services:
        add(service.file)
    return FileDescriptorSet(file=found.values())
