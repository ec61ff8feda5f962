"""The plans of a small shop, and the requests about them as protobuf JSON."""

import uuid

from reflected import named

DATABASE = ["s-10000000000db0001", "s-10000000000db0002"]
APPLICATION = ["s-10000000000aa0001"]
WEB = ["s-10000000000eb0001"]
TARGET = {"account": "123456789012", "region": "us-west-2"}
NOWHERE = "01aaaaaaaaaaaaaaaaaaaaaaaa"
START = "ExecutionService/StartExecution"


def wave(name, servers, **more):
    return {"name": name, "servers": [{"servers": [{"id": server} for server in servers]}], **more}


def plan(name, *waves):
    return {"name": name, "spec": {"target": TARGET, "waves": list(waves)}}


SHOP = {
    **plan(
        "shop",
        wave("database", DATABASE),
        wave("application", APPLICATION, after=["database"], pauseBefore=True),
        wave("web", WEB, after=["application"]),
    ),
    "labels": {"env": "test"},
}
SHOP["spec"]["objectives"] = {"rto": "1800s", "rpo": "300s"}
OVERLAP = plan("overlap", wave("database", DATABASE[1:]))


def fresh():
    return str(uuid.uuid4())


def apply(gateway, content):
    request = {"plan": content, "allowMissing": True, "requestId": fresh()}
    return gateway.call("PlanService/UpdatePlan", request)


def drill(name, request_id=None):
    return {"plan": name, "kind": "EXECUTION_KIND_DRILL", "requestId": request_id or fresh()}


def steer(gateway, verb, execution, request_id=None):
    request = {"execution": execution, "requestId": request_id or fresh()}
    return gateway.call(f"ExecutionService/{verb}", request).execution


def get(gateway, execution):
    return gateway.call("ExecutionService/GetExecution", {"execution": execution}).execution


def state(execution):
    return named(execution, "state").removeprefix("EXECUTION_STATE_")


def allowed(execution):
    actions = execution.allowed_actions
    return [named(action, "action").removeprefix("ACTION_") for action in actions]
