"""Validates raw JSON answers against the output shapes of botocore's service model.

botocore itself ignores unknown members and unknown enum values when it parses.
"""

import json
import re

# Values that real DRS answers although the service model does not list them.
KNOWN_STRANGERS = {"JobLogEvent": {"LAUNCH_END"}}
# DRS was recorded to answer `+00:00` where the service model's pattern asks for `Z`.
UNCHECKED_PATTERNS = {"ISO8601DatetimeString"}


class ShapeValidator:
    """Validates raw JSON against output shapes of the service model."""

    def __init__(self, model):
        self.model = model
        self.answers = 0

    def on_response(self, http_response, operation_model, **_):
        self.answers += 1
        body = http_response.content
        if http_response.status_code >= 300:
            self.error(http_response, json.loads(body))
        elif operation_model.output_shape is None:
            assert body in (b"", b"{}"), f"{operation_model.name}: body {body!r}"
        else:
            expected = operation_model.http.get("responseCode", 200)
            assert http_response.status_code == expected, f"{operation_model.name}: {http_response.status_code}"
            self.value(operation_model.output_shape, json.loads(body), operation_model.name)

    def error(self, http_response, body):
        code = http_response.headers["x-amzn-ErrorType"]
        if code in self.model.shape_names:
            shape = self.model.shape_for(code)
            assert shape.metadata["error"]["httpStatusCode"] == http_response.status_code, code
            self.value(shape, body, code)

    def value(self, shape, value, where):
        getattr(self, shape.type_name)(shape, value, where)

    def structure(self, shape, value, where):
        assert isinstance(value, dict), f"{where}: {value!r} is no structure"
        in_body = {name: member for name, member in shape.members.items() if "location" not in member.serialization}
        unknown = set(value) - set(in_body)
        assert not unknown, f"{where}: unknown members {unknown}"
        missing = set(shape.required_members) & set(in_body) - set(value)
        assert not missing, f"{where}: missing members {missing}"
        for name, member in value.items():
            self.value(in_body[name], member, f"{where}.{name}")

    def list(self, shape, value, where):
        assert isinstance(value, list), f"{where}: {value!r} is no list"
        for index, member in enumerate(value):
            self.value(shape.member, member, f"{where}[{index}]")

    def map(self, shape, value, where):
        assert isinstance(value, dict), f"{where}: {value!r} is no map"
        for key, member in value.items():
            self.value(shape.key, key, f"{where} key")
            self.value(shape.value, member, f"{where}.{key}")

    def string(self, shape, value, where):
        assert isinstance(value, str), f"{where}: {value!r} is no string"
        known = set(shape.enum) | KNOWN_STRANGERS.get(shape.name, set())
        assert not shape.enum or value in known, f"{where}: {value!r} is not in {shape.name}"
        assert shape.metadata.get("min", 0) <= len(value), f"{where}: {value!r} is too short"
        assert len(value) <= shape.metadata.get("max", len(value)), f"{where}: {value!r} is too long"
        pattern = shape.metadata.get("pattern")
        if pattern and shape.name not in UNCHECKED_PATTERNS:
            assert re.fullmatch(pattern, value), f"{where}: {value!r} does not match {pattern}"

    def integer(self, shape, value, where):
        assert isinstance(value, int) and not isinstance(value, bool), f"{where}: {value!r} is no integer"
        assert value >= shape.metadata.get("min", value), f"{where}: {value!r} is too small"

    long = integer

    def boolean(self, shape, value, where):
        assert isinstance(value, bool), f"{where}: {value!r} is no boolean"
