"""Puts a gateway through its paces with grpcio, as a client that knows only its address.

    python grpc_client.py 127.0.0.1:PORT

Everything else comes from server reflection; requests are protobuf JSON. The gateway has to call a
DRS emulator with the scenario `shop`, at a speed of some hundred, and nothing may have been
launched yet. One line per check; the first that fails ends the run with status 1.
"""

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from checks import Checks
from drill_checks import check_cancel, check_clean_up, check_drill, check_list
from reflected import PACKAGE, PATIENCE, Gateway
from shop import NOWHERE, OVERLAP, SHOP, START, apply, drill, fresh, plan, wave

Code = grpc.StatusCode
SERVICES = [f"{PACKAGE}.{name}" for name in ("ExecutionService", "GatewayService", "PlanService")]


def check_front(checks, gateway):
    listed = set(gateway.services)
    checks.ok(set(SERVICES) <= listed, "reflection lists the services", listed)
    health = health_pb2_grpc.HealthStub(gateway.channel)
    for service in ["", *SERVICES]:
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)
        serving = health_pb2.HealthCheckResponse.SERVING
        checks.equal(answer.status, serving, f"{service or 'the gateway'} is SERVING")
    info = gateway.call("GatewayService/GetGatewayInfo", {})
    checks.equal((info.drs, info.journal), ("aws", "redb"), "the gateway says what it is")
    checks.ok(info.limits.page_size and info.limits.request_bytes, "and what it allows", info)


def check_plans(checks, gateway):
    first = apply(gateway, SHOP)
    checks.equal((first.changed, first.plan.revision), (True, 1), "a plan is applied")
    again = apply(gateway, SHOP)
    checks.equal((again.changed, again.plan.revision), (False, 1), "equal content adds no revision")
    checks.ok(again.plan.digest.startswith("sha256:"), "a plan has a digest", again.plan.digest)
    stored = gateway.call("PlanService/GetPlan", {"name": "shop"}).plan
    checks.equal(stored, first.plan, "what is stored is what was answered")
    apply(gateway, OVERLAP)
    names, token = [], ""
    for _ in range(2):
        page = gateway.call("PlanService/ListPlans", {"pageSize": 1, "pageToken": token})
        names += [stored.name for stored in page.plans]
        token = page.next_page_token
    checks.equal(names, ["overlap", "shop"], "plans are listed by name, in pages of one")
    request = {"plan": SHOP, "requestId": fresh()}
    refusal = gateway.refusal("PlanService/CreatePlan", request)
    checks.equal(refusal.code, Code.ALREADY_EXISTS, "a plan is created once")
    request = {"plan": {**SHOP, "revision": 7}, "requestId": fresh()}
    refusal = gateway.refusal("PlanService/UpdatePlan", request)
    checks.equal(refusal.code, Code.ABORTED, "an update of another revision than the newest")


def check_bad_plan(checks, gateway):
    bad = plan("bad", wave("web", ["server-1"], after=["wbe"]), wave("web", []))
    refusal = gateway.refusal("PlanService/CreatePlan", {"plan": bad, "requestId": fresh()})
    checks.equal(refusal.code, Code.INVALID_ARGUMENT, "a bad plan is INVALID_ARGUMENT")
    wanted = [
        "plan.spec.waves[0].servers[0].servers[0].id",
        "plan.spec.waves[0].after[0]",
        "plan.spec.waves[1].name",
        "plan.spec.waves[1].servers[0]",
    ]
    checks.ok(set(wanted) <= set(refusal.fields), "every mistake has its path", refusal.fields)
    answer = gateway.call("PlanService/ValidatePlan", {"plan": bad})
    fields = [f"plan.{violation.field}" for violation in answer.violations]
    checks.equal(fields, refusal.fields, "ValidatePlan finds the same mistakes")
    checks.equal(answer.digest, "", "and gives no digest")


def check_not_found(checks, gateway):
    by_plan = [(START, drill("nothing")), ("PlanService/GetPlan", {"name": "nothing"})]
    request = {"execution": NOWHERE}
    by_execution = [("GetExecution", request), ("Pause", {**request, "requestId": fresh()})]
    for method, request in by_plan:
        refusal = gateway.refusal(method, request)
        checks.equal(refusal.code, Code.NOT_FOUND, f"{method} of an unknown plan is NOT_FOUND")
        checks.equal(refusal.resource, (f"{PACKAGE}.Plan", "nothing"), "and the plan is named")
    for name, request in by_execution:
        refusal = gateway.refusal(f"ExecutionService/{name}", request)
        checks.equal(refusal.code, Code.NOT_FOUND, f"{name} of an unknown execution is NOT_FOUND")
        checks.equal(refusal.resource, (f"{PACKAGE}.Execution", NOWHERE), "and it is named")
    refusal = gateway.stream_refusal("ExecutionService/Watch", {"execution": NOWHERE})
    checks.equal(refusal.code, Code.NOT_FOUND, "Watch of an unknown execution is NOT_FOUND")


def check_bad_requests(checks, gateway):
    for method in ("PlanService/ListPlans", "ExecutionService/ListExecutions"):
        refusal = gateway.refusal(method, {"pageSize": 1_000_000_000})
        checks.equal(refusal.code, Code.INVALID_ARGUMENT, f"{method}: a page of 1,000,000,000")
        checks.equal(refusal.fields, ["page_size"], "and the field is named")
        refusal = gateway.refusal(method, {"pageToken": "nonsense"})
        checks.equal(refusal.fields, ["page_token"], f"{method}: a foreign token")
    refusal = gateway.refusal(START, {"plan": "shop", "kind": "EXECUTION_KIND_DRILL"})
    checks.equal(refusal.fields, ["request_id"], "a start wants a request id")
    refusal = gateway.refusal(START, {"plan": "shop", "requestId": fresh()})
    checks.equal(refusal.fields, ["kind"], "a start says drill or recovery")
    refusal = gateway.refusal("ExecutionService/GetExecution", {})
    checks.equal(refusal.fields, ["execution"], "an execution must be named")
    refusal = gateway.refusal("ExecutionService/GetExecution", {"execution": "one"})
    checks.equal(refusal.code, Code.NOT_FOUND, "what can be no id is of no execution")
    checks.equal(refusal.resource, (f"{PACKAGE}.Execution", "one"), "and it is named")


def check_large_plan(checks, gateway):
    large = {**SHOP, "labels": {"filler": "x" * 10_000_000}}
    request = {"plan": large, "allowMissing": True, "requestId": fresh()}
    refusal = gateway.refusal("PlanService/UpdatePlan", request)
    checks.equal(refusal.code, Code.RESOURCE_EXHAUSTED, "a plan of 10 MB is refused")
    checks.equal(refusal.metadata["limit"], "limits.request_bytes", "and the limit is named")
    stored = gateway.call("PlanService/GetPlan", {"name": "shop"}).plan
    checks.equal(stored.revision, 1, "and the gateway lives on, with the old plan")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    checks, gateway = Checks(), Gateway(sys.argv[1])
    check_front(checks, gateway)
    check_plans(checks, gateway)
    check_bad_plan(checks, gateway)
    check_not_found(checks, gateway)
    check_bad_requests(checks, gateway)
    first = check_drill(checks, gateway)
    second = check_cancel(checks, gateway)
    check_list(checks, gateway, first, second)
    check_clean_up(checks, gateway, second)
    check_large_plan(checks, gateway)
    checks.end()


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, grpc.RpcError) as unfit:
        sys.exit(f"FAILED  {unfit!r}")
