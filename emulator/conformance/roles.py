"""Roles as boto3 assumes them: the session that a caller gets, and why it gets none."""

import json
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/recovery/launch"
ASSUMED = f"arn:aws:sts::{OTHER}:assumed-role/launch/prod-eu"
TAGS = [{"Key": "tidegate:gateway", "Value": "prod-eu"}]


def check_roles(checks, emulator, account):
    sts = client(emulator, "sts", account)
    identity = sts.get_caller_identity()
    checks.ok(identity["Account"] == account, "a caller learns its account", identity)
    check_session(checks, emulator, sts)
    check_lifetime(checks, sts)
    check_refusals(checks, sts)
    check_trust(checks, emulator, sts)


def client(emulator, service, key, token=None):
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    return boto3.client(
        service, endpoint_url=emulator.url, region_name="us-west-2", config=config,
        aws_access_key_id=key, aws_secret_access_key="unused", aws_session_token=token,
    )


def assume(sts, **more):
    return sts.assume_role(**{"RoleArn": ROLE, "RoleSessionName": "prod-eu", **more})


def check_session(checks, emulator, sts):
    answer = assume(sts, ExternalId="tide:1", Tags=TAGS)
    shape = sts.meta.service_model.operation_model("AssumeRole").output_shape
    unfit(checks, shape, {name: value for name, value in answer.items() if name != "ResponseMetadata"})
    checks.ok(answer["AssumedRoleUser"]["Arn"] == ASSUMED, "a session is named by its role without the path", answer)
    given = answer["Credentials"]
    session = given["AccessKeyId"], given["SessionToken"]
    identity = client(emulator, "sts", *session).get_caller_identity()
    found = identity["Account"], identity["Arn"]
    checks.ok(found == (OTHER, ASSUMED), "whoever uses it is that session, in the role's account", identity)
    drs = client(emulator, "drs", *session)
    try:
        drs.describe_source_servers()
        checks.ok(False, "DRS is initialised in another account")
    except drs.exceptions.UninitializedAccountException as error:
        checks.ok(f"{OTHER}/us-west-2" in str(error), "and DRS is called there, where it was never set up", error)
    chained = client(emulator, "sts", *session)
    again = assume(chained, RoleSessionName="second")["AssumedRoleUser"]["Arn"]
    checks.ok(again.endswith("/launch/second"), "a session assumes a further role", again)


def unfit(checks, shape, value):
    missing = set(shape.required_members) - set(value)
    unknown = set(value) - set(shape.members)
    checks.ok(not missing and not unknown, f"{shape.name} is as the service model says", (missing, unknown))
    for name, member in value.items():
        if shape.members[name].type_name == "structure":
            unfit(checks, shape.members[name], member)


def check_lifetime(checks, sts):
    for asked, lasts in ((None, 3600), (900, 900), (3600, 3600)):
        more = {} if asked is None else {"DurationSeconds": asked}
        expires = assume(sts, **more)["Credentials"]["Expiration"]
        off = abs(expires - datetime.now(timezone.utc) - timedelta(seconds=lasts))
        checks.ok(off < timedelta(seconds=30), f"a session of {asked} seconds lasts {lasts}", expires)


def check_refusals(checks, sts):
    for what, more in {
        "less than a quarter of an hour": {"DurationSeconds": 899},
        "more than the hour of the role": {"DurationSeconds": 3601},
        "a session without a name": {"RoleSessionName": ""},
        "a name with a space": {"RoleSessionName": "two words"},
        "an external id of one character": {"ExternalId": "x"},
        "a user's ARN": {"RoleArn": f"arn:aws:iam::{OTHER}:user/launch"},
        "an account of eleven digits": {"RoleArn": "arn:aws:iam::21098765432:role/launch"},
        "a tag without a key": {"Tags": [{"Key": "", "Value": "x"}]},
        "more than fifty tags": {"Tags": [{"Key": str(n), "Value": "x"} for n in range(51)]},
    }.items():
        error = refused(checks, what, sts, **more)
        checks.ok(error == ("ValidationError", 400), f"{what} is refused", error)


def check_trust(checks, emulator, sts):
    faults(checks, emulator, externalIds={ROLE: "tide:1"})
    checks.ok(assume(sts, ExternalId="tide:1"), "a role is assumed with the external id that it trusts")
    for what, more in {"another external id": {"ExternalId": "ebb:1"}, "no external id": {}}.items():
        error = refused(checks, what, sts, **more)
        checks.ok(error == ("AccessDenied", 403), f"and not with {what}", error)
    checks.ok(assume(sts, RoleArn=f"{ROLE}-other"), "another role trusts everybody")
    faults(checks, emulator, denied=["sts:TagSession"])
    checks.ok(assume(sts), "a session needs no permission for tags that it has not")
    error = refused(checks, "a tag", sts, Tags=TAGS)
    checks.ok(error == ("AccessDenied", 403), "and does for those that it has", error)
    faults(checks, emulator, denied=["sts:AssumeRole"])
    error = refused(checks, "a role", sts)
    checks.ok(error == ("AccessDenied", 403), "nobody assumes what is denied", error)
    faults(checks, emulator)


def refused(checks, what, sts, **more):
    try:
        assume(sts, **more)
    except sts.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    return checks.ok(False, f"{what}: nothing was raised")


def faults(checks, emulator, **service):
    body = json.dumps({"service": service}).encode()
    status, answer, _ = emulator.raw("/_emulator/faults", body, method="PUT")
    checks.ok(status == 200, f"faults of roles are put: {service}", answer)
