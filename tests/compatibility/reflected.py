"""A gateway as its own reflection describes it. No generated code of Tidegate is used."""

from dataclasses import dataclass, field

import grpc
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_status import rpc_status

PACKAGE = "tidegate.v1"
# Longest wait for one answer, and for one stream.
PATIENCE = 30
STREAM_PATIENCE = 120


@dataclass
class Refusal:
    """An error status, its rich details by the names of their types."""

    code: grpc.StatusCode
    message: str
    details: dict = field(default_factory=dict)

    @property
    def reason(self):
        info = self.details.get("ErrorInfo")
        return info.reason if info else None

    @property
    def metadata(self):
        info = self.details.get("ErrorInfo")
        return dict(info.metadata) if info else {}

    @property
    def fields(self):
        bad = self.details.get("BadRequest")
        return [violation.field for violation in bad.field_violations] if bad else []

    @property
    def resource(self):
        info = self.details.get("ResourceInfo")
        return (info.resource_type, info.resource_name) if info else None


class Gateway:
    """Calls methods by name, with requests as protobuf JSON."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.services = sorted(database.get_services())
        self.pool = DescriptorPool(database)

    def call(self, method, request, timeout=PATIENCE, metadata=None):
        """The answer of SERVICE/METHOD."""
        path, message, decode = self.prepare(method, request)
        serialize = type(message).SerializeToString
        rpc = self.channel.unary_unary(path, serialize, decode)
        return rpc(message, timeout=timeout, metadata=metadata)

    def stream(self, method, request, timeout=STREAM_PATIENCE, metadata=None):
        """The answers of SERVICE/METHOD, to iterate over or to cancel."""
        path, message, decode = self.prepare(method, request)
        serialize = type(message).SerializeToString
        rpc = self.channel.unary_stream(path, serialize, decode)
        return rpc(message, timeout=timeout, metadata=metadata)

    def prepare(self, method, request):
        service, name = method.split("/")
        descriptor = self.pool.FindServiceByName(f"{PACKAGE}.{service}").methods_by_name[name]
        asked = message_factory.GetMessageClass(descriptor.input_type)
        answer = message_factory.GetMessageClass(descriptor.output_type)
        message = json_format.ParseDict(request, asked(), descriptor_pool=self.pool)
        return f"/{PACKAGE}.{service}/{name}", message, answer.FromString

    def refusal(self, method, request, **options):
        """Why SERVICE/METHOD is refused; an answer is a failure."""
        try:
            self.call(method, request, **options)
        except grpc.RpcError as error:
            return decoded(error)
        raise AssertionError(f"{method} was not refused")

    def stream_refusal(self, method, request, **options):
        """How the stream of SERVICE/METHOD fails; a good end is a failure."""
        try:
            for _ in self.stream(method, request, **options):
                pass
        except grpc.RpcError as error:
            return decoded(error)
        raise AssertionError(f"{method} ended well")


def decoded(error):
    """The status in grpc-status-details-bin, which must agree with grpc-status."""
    refusal = Refusal(error.code(), error.details())
    status = rpc_status.from_call(error)
    for packed in status.details if status else []:
        name = packed.TypeName().removeprefix("google.rpc.")
        detail = getattr(error_details_pb2, name)()
        assert packed.Unpack(detail), packed
        refusal.details[name] = detail
    return refusal


def named(message, field_name):
    """The name of an enum's value."""
    descriptor = message.DESCRIPTOR.fields_by_name[field_name].enum_type
    return descriptor.values_by_number[getattr(message, field_name)].name
