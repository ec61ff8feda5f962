"""Drills: started once, watched without gaps, steered, cancelled, cleaned up."""

import grpc

from reflected import PACKAGE, named
from shop import SHOP, START, allowed, drill, fresh, get, state, steer
from watcher import Watcher, execution_moved, wave_moved

Code = grpc.StatusCode


def check_request_ids(checks, gateway, request_id):
    first = gateway.call(START, drill("shop", request_id)).execution
    checks.equal(len(first.id), 26, "a drill is started")
    again = gateway.call(START, drill("shop", request_id)).execution
    checks.equal(again.id, first.id, "the same request id again is the same execution")
    other = {**drill("shop", request_id), "kind": "EXECUTION_KIND_RECOVERY"}
    for what, request in (("plan", drill("overlap", request_id)), ("kind", other)):
        refusal = gateway.refusal(START, request)
        found = (refusal.code, refusal.reason)
        wanted = (Code.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
        checks.equal(found, wanted, f"with another {what} it is REQUEST_ID_REUSED")
    return first.id


def check_planned_pause(checks, gateway, watcher):
    watcher.connect()
    watcher.until(wave_moved("database", "RECOVERING"))
    busy = gateway.refusal(START, drill("overlap"))
    checks.equal(busy.code, Code.FAILED_PRECONDITION, "a server is in one live execution")
    checks.equal(busy.metadata["execution"], watcher.execution, "and the other one is named")
    checks.ok("PreconditionFailure" in busy.details, "with a precondition failure", busy)
    watcher.disconnect()
    middle = (watcher.revision, watcher.index)
    checks.ok(middle[0] > 1, "left in the middle of the stream", middle)
    watcher.connect()
    checks.equal(watcher.headers[-1], middle, "the next stream begins at the cursor")
    watcher.until(execution_moved("PAUSED"))
    paused = get(gateway, watcher.execution)
    holds = [(named(hold, "reason"), hold.wave) for hold in paused.holds]
    checks.equal(holds, [("PAUSE_REASON_PLANNED", "application")], "the plan's pause is reached")
    actions = allowed(paused)
    checks.ok({"RESUME", "CANCEL"} <= set(actions), "what may be asked is told", actions)
    check_forbidden(checks, gateway, "RetryWave", paused, wave="database")


def check_forbidden(checks, gateway, verb, execution, **more):
    request = {"execution": execution.id, "requestId": fresh(), **more}
    refusal = gateway.refusal(f"ExecutionService/{verb}", request)
    what = f"{verb} when {state(execution)}"
    checks.equal(refusal.code, Code.FAILED_PRECONDITION, f"{what} is FAILED_PRECONDITION")
    checks.equal(refusal.metadata["state"], state(execution), f"{what}: the state is told")
    listed = refusal.metadata["allowed_actions"].split(",")
    actions = [action.partition(":")[0] for action in listed]
    checks.equal(actions, allowed(execution), f"{what}: and the allowed actions")


def check_operators_pause(checks, gateway, watcher):
    request_id = fresh()
    resumed = steer(gateway, "Resume", watcher.execution, request_id)
    checks.equal(list(resumed.holds), [], "a resume lifts the hold")
    again = steer(gateway, "Resume", watcher.execution, request_id)
    checks.equal(again.revision, resumed.revision, "the same resume again is the same answer")
    watcher.until(wave_moved("application", "RECOVERING"))
    pausing = steer(gateway, "Pause", watcher.execution)
    checks.equal(state(pausing), "PAUSING", "a pause lets the running job end")
    check_forbidden(checks, gateway, "Pause", pausing)
    watcher.until(execution_moved("PAUSED"))
    paused = get(gateway, watcher.execution)
    servers = [server for wave in paused.waves for server in wave.servers]
    states = [named(server, "state").removeprefix("SERVER_STATE_") for server in servers]
    wanted = ["LAUNCHED"] * 3 + ["PENDING"]
    checks.equal(states, wanted, "what was in flight is recorded, and nothing begins")
    steer(gateway, "Resume", watcher.execution)
    watcher.to_the_end()


def check_whole_stream(checks, gateway, watcher):
    end = (named(watcher.end, "reason"), watcher.end.revision)
    wanted = ("WATCH_END_REASON_EXECUTION_ENDED", watcher.revision)
    checks.equal(end, wanted, "the last message says why the stream ends")
    revisions = [commit.revision for commit in watcher.commits]
    dense = list(range(1, len(revisions) + 1))
    checks.equal(revisions, dense, "revisions are dense, over two streams")
    indexes = [change.index for change in watcher.changes]
    checks.equal(indexes, list(range(1, len(indexes) + 1)), "and so are the changes' indexes")
    hashes = [commit.previous_hash for commit in watcher.commits]
    checks.ok(hashes[0] == "" and len(set(hashes)) == len(hashes), "records are chained", hashes)
    commits, token = [], ""
    while token or not commits:
        request = {"execution": watcher.execution, "pageSize": 3, "pageToken": token}
        page = gateway.call("ExecutionService/ListEvents", request)
        commits += page.commits
        token = page.next_page_token
    checks.equal(commits, watcher.commits, "ListEvents tells the same, in pages of 3")
    future = {"execution": watcher.execution, "afterRevision": watcher.revision + 1}
    refusal = gateway.stream_refusal("ExecutionService/Watch", future)
    checks.equal(refusal.code, Code.OUT_OF_RANGE, "a cursor from the future is OUT_OF_RANGE")
    checks.equal(refusal.metadata["newest_revision"], str(watcher.revision), "the newest is told")


def check_deadlines(checks, gateway, execution):
    # Told to the gateway but not to grpcio, so that the answer is the gateway's.
    short = {"timeout": None, "metadata": (("grpc-timeout", "200m"),)}
    refusal = gateway.stream_refusal("ExecutionService/Watch", {"execution": execution}, **short)
    checks.equal(refusal.code, Code.DEADLINE_EXCEEDED, "an expired deadline is DEADLINE_EXCEEDED")
    codes = {outcome_at_once(gateway) for _ in range(50)}
    either = {Code.OK, Code.DEADLINE_EXCEEDED}
    checks.ok(codes <= either, "one that is over at once is never CANCELLED", codes)


def outcome_at_once(gateway):
    request = {"plan": SHOP, "requestId": fresh()}
    at_once = {"timeout": None, "metadata": (("grpc-timeout", "1n"),)}
    try:
        gateway.call("PlanService/UpdatePlan", request, **at_once)
    except grpc.RpcError as error:
        return error.code()
    return Code.OK


def check_drill(checks, gateway):
    request_id = fresh()
    watcher = Watcher(gateway, check_request_ids(checks, gateway, request_id))
    check_planned_pause(checks, gateway, watcher)
    request = {"execution": watcher.execution, "wave": "wbe", "requestId": fresh()}
    refusal = gateway.refusal("ExecutionService/SkipWave", request)
    checks.equal(refusal.code, Code.NOT_FOUND, "an unknown wave is NOT_FOUND")
    checks.equal(refusal.resource, (f"{PACKAGE}.Wave", "wbe"), "and it is named")
    check_deadlines(checks, gateway, watcher.execution)
    check_operators_pause(checks, gateway, watcher)
    over = get(gateway, watcher.execution)
    checks.equal(state(over), "SUCCEEDED", "the drill succeeds")
    check_whole_stream(checks, gateway, watcher)
    check_forbidden(checks, gateway, "Cancel", over)
    again = gateway.call(START, drill("shop", request_id)).execution
    checks.equal(again.id, over.id, "a request id is remembered after the end")
    return over


def check_cancel(checks, gateway):
    started = gateway.call(START, drill("shop")).execution
    watcher = Watcher(gateway, started.id)
    watcher.connect()
    watcher.until(wave_moved("database", "RECOVERING"))
    cancelling = steer(gateway, "Cancel", started.id)
    checks.equal(state(cancelling), "CANCELLING", "a cancel follows the running job")
    watcher.to_the_end()
    over = get(gateway, started.id)
    checks.equal(state(over), "CANCELLED", "and ends as CANCELLED")
    instances = [server.recovery_instance_id for server in over.waves[0].servers]
    checks.ok(len(set(instances)) == 2 and all(instances), "what was launched is listed", instances)
    rest = {named(wave, "state") for wave in over.waves[1:]}
    checks.equal(rest, {"WAVE_STATE_CANCELLED"}, "and what was not begun is cancelled")
    return over


def check_list(checks, gateway, *executions):
    finished = [execution.id for execution in executions]
    drills = {"plan": "shop", "kinds": ["EXECUTION_KIND_DRILL"]}
    found = gateway.call("ExecutionService/ListExecutions", {"filter": drills}).executions
    checks.equal([summary.id for summary in found], finished[::-1], "executions, newest first")
    cancelled = {**drills, "states": ["EXECUTION_STATE_CANCELLED"]}
    found = gateway.call("ExecutionService/ListExecutions", {"filter": cancelled}).executions
    checks.equal([summary.id for summary in found], finished[1:], "executions by state")


def check_clean_up(checks, gateway, over):
    request = {"execution": over.id, "requestId": fresh()}
    cleanup = gateway.call("ExecutionService/CleanUp", request).execution
    found = (named(cleanup, "kind"), cleanup.source_execution)
    checks.equal(found, ("EXECUTION_KIND_CLEANUP", over.id), "a cleanup is an execution of its own")
    watcher = Watcher(gateway, cleanup.id)
    watcher.connect()
    watcher.to_the_end()
    ended = get(gateway, cleanup.id)
    states = {named(server, "state") for wave in ended.waves for server in wave.servers}
    checks.equal(states, {"SERVER_STATE_TERMINATED"}, "every instance is terminated")
