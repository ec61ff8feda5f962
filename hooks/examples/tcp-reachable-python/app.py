"""All servers of the wave accept a TCP connection.

The same check, with the same answers to the same vectors, as ../tcp-reachable.
"""

import json
import re
import traceback
from dataclasses import dataclass

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import probe, types

KNOWN = ["port", "timeout-ms", "retry-ms"]


@dataclass
class Settings:
    port: int
    timeout_ms: int
    retry_ms: int


def whole_number(parameters, name, most, default=None):
    """Decimal digits and nothing else, from 1 to `most`."""
    form = f"write a whole number from 1 to {most}"
    text = parameters.get(name)
    if text is None:
        if default is not None:
            return default
        raise Err(f'the parameter "{name}" is missing; {form}')
    # Longer numbers are out of range, and Python refuses to read some of them.
    number = int(text) if re.fullmatch("0*[0-9]{1,10}", text) else 0
    if not 1 <= number <= most:
        raise Err(f'the parameter "{name}" is {json.dumps(text)}; {form}')
    return number


def settings(entries):
    parameters = {entry.name: entry.value for entry in entries}
    for name in parameters:
        if name not in KNOWN:
            known = ", ".join(KNOWN)
            raise Err(f'the parameter "{name}" is not known; known are: {known}')
    return Settings(
        port=whole_number(parameters, "port", 65535),
        timeout_ms=whole_number(parameters, "timeout-ms", 4294967295, 2000),
        retry_ms=whole_number(parameters, "retry-ms", 4294967295, 15000),
    )


def look_at(server, set):
    """What a server is to the question ("open", "closed" or "dead"), and the
    finding about it."""

    def finding(code, severity, message="", **evidence):
        entries = [
            types.Entry(name.replace("_", "-"), str(value))
            for name, value in sorted(evidence.items())
        ]
        return types.Finding(code, severity, server.id, message, entries)

    match server.launch:
        case types.Launch_Failed(reason):
            return "dead", finding("not-launched", types.Severity.ERROR, reason)
        case types.Launch_Pending():
            message = "its launch is under way"
            return "closed", finding("launch-pending", types.Severity.WARNING, message)
    target = probe.Target_Server(probe.ServerPort(server.id, set.port))
    try:
        connection = probe.tcp(target, set.timeout_ms)
    except Err as error:
        failure = error.value
        problem = failure.problem.name.lower().replace("_", "-")
        return "closed", finding(
            "port-closed", types.Severity.ERROR, failure.message, problem=problem
        )
    return "open", finding(
        "port-open", types.Severity.INFO, elapsed_ms=connection.elapsed_ms
    )


def names(servers):
    """At most five names."""
    every = [server.hostname or server.id for server in servers]
    if len(every) <= 5:
        return ", ".join(every)
    return f"{', '.join(every[:5])} and {len(every) - 5} more"


def check(context):
    set = settings(context.parameters)
    servers = context.servers
    if not servers:
        finding = types.Finding(
            "no-servers", types.Severity.WARNING, "", "there is nothing to connect to", []
        )
        return types.Report(types.Verdict_Hold(), "the wave has no servers", [finding])
    looked = [look_at(server, set) for server in servers]
    findings = [finding for _, finding in looked]

    def standing(wanted):
        return [server for server, (found, _) in zip(servers, looked) if found == wanted]

    dead, closed, all = standing("dead"), standing("closed"), len(servers)
    if dead:
        verdict = types.Verdict_Hold()
        reason = f"{len(dead)} of {all} servers did not launch: {names(dead)}"
    elif closed:
        verdict = types.Verdict_Retry(set.retry_ms)
        some = f"{len(closed)} of {all} servers"
        reason = f"port {set.port} is closed on {some}: {names(closed)}"
    else:
        verdict = types.Verdict_Proceed()
        reason = f"port {set.port} is open on {all} of {all} servers"
    return types.Report(verdict, reason, findings)


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
        told(settings, parameters)

    def check(self, context):
        return told(check, context)
