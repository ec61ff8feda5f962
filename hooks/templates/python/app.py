"""All servers of the wave accept a TCP connection.

tidegate/wit/v1 says what a hook is told and what it can ask and answer. For an
editor, `componentize-py -d tidegate/wit/v1 -w gate bindings .` writes the same
as Python types.
"""

import json
import re
import traceback

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import probe, types


def port(parameters):
    text = next((entry.value for entry in parameters if entry.name == "port"), "")
    number = int(text) if re.fullmatch("[0-9]{1,5}", text) else 0
    if not 1 <= number <= 65535:
        form = "write a whole number from 1 to 65535"
        raise Err(f'the parameter "port" is {json.dumps(text)}; {form}')
    return number


def check(context):
    wanted = port(context.parameters)
    closed = []
    findings = []
    for server in context.servers:
        target = probe.Target_Server(probe.ServerPort(server.id, wanted))
        try:
            probe.tcp(target, 2000)
        except Err as error:
            failure = error.value
            message = f"{failure.problem.name.lower()}: {failure.message}"
            severity = types.Severity.ERROR
            findings.append(types.Finding("port-closed", severity, server.id, message, []))
            closed.append(server.hostname or server.id)
    if not closed:
        return types.Report(types.Verdict_Proceed(), "", findings)
    reason = f"port {wanted} is closed on {', '.join(closed)}"
    return types.Report(types.Verdict_Retry(15000), reason, findings)


def told(call, argument):
    """An `Err` is the hook's error. Any other exception is a mistake in this
    file, and is told with its place."""
    try:
        return call(argument)
    except Err:
        raise
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        text = f"{type(error).__name__}: {error} ({place.filename}:{place.lineno})"
        raise Err(text) from None


class Hook(exports.Hook):
    def accepts(self, parameters):
        told(port, parameters)

    def check(self, context):
        return told(check, context)
