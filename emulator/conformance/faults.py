"""Faults as boto3 meets them: which exception a caller gets, and what is true all the same."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

SERVERS = [f"s-10000000000eb{n:04}" for n in range(11, 25)]
ERRORS = {
    "ThrottlingException": 429, "InternalServerException": 500, "ServiceUnavailableException": 503,
    "ExpiredTokenException": 403, "AccessDeniedException": 403, "ConflictException": 409,
    "ResourceNotFoundException": 404, "ServiceQuotaExceededException": 402, "UninitializedAccountException": 400,
    "ValidationException": 400,
}


def check_faults(checks, emulator, client, account):
    """`client` holds every answer against the service model."""
    check_errors(checks, emulator, client)
    # No answer, or one that is deliberately not of the model.
    config = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)
    loose = boto3.client(
        "drs", endpoint_url=emulator.url, region_name="us-west-2", config=config,
        aws_access_key_id=account, aws_secret_access_key="unused",
    )
    check_lost_answers(checks, emulator, loose)
    check_unlisted(checks, emulator, loose)
    status, answer, _ = emulator.raw("/_emulator/faults", method="DELETE")
    checks.ok(status == 200 and answer["counts"] == [], "faults are deleted", answer)


def put(checks, emulator, then=None, operation="StartRecovery", service=None):
    rules = [{"name": "r", "match": {"operations": [operation]}, "then": then}] if then else []
    body = json.dumps({"rules": rules, "service": service or {}}).encode()
    status, answer, _ = emulator.raw("/_emulator/faults", body, method="PUT")
    checks.ok(status == 200, f"a fault is put: {then or service}", answer)


def launched(emulator):
    return len(emulator.control("launches")[1]["launches"])


def launch(client, server):
    return client.start_recovery(sourceServers=[{"sourceServerID": server}], isDrill=True)["job"]["jobID"]


def check_errors(checks, emulator, client):
    for code, status in ERRORS.items():
        put(checks, emulator, {"work": "none", "answer": {"error": {"code": code}}})
        try:
            launch(client, SERVERS[0])
            checks.ok(False, f"{code} is raised")
        except ClientError as error:
            answer = error.response
            found = (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"])
            checks.ok(found == (code, status), f"{code} is raised with {status}", found)
    error = {"code": "ThrottlingException", "retryAfterSeconds": 7}
    put(checks, emulator, {"work": "none", "answer": {"error": error}}, "DescribeJobs")
    try:
        client.describe_jobs()
        checks.ok(False, "a read is throttled")
    except client.exceptions.ThrottlingException as throttled:
        told = int(throttled.response["retryAfterSeconds"])
        checks.ok(told == 7, "throttling says when to try again", throttled.response)


def check_lost_answers(checks, emulator, client):
    cases = [
        ("none", "reset", ConnectionClosedError, 0), ("once", "reset", ConnectionClosedError, 1),
        ("once", "cut", ConnectionClosedError, 1), ("once", "silence", ReadTimeoutError, 1),
        ("twice", "reset", ConnectionClosedError, 2),
    ]
    for (work, answer, expected, times), server in zip(cases, SERVERS):
        before = launched(emulator)
        put(checks, emulator, {"work": work, "answer": answer})
        try:
            launch(client, server)
            checks.ok(False, f"{work}, {answer}: something is raised")
        except (ConnectionClosedError, ReadTimeoutError) as error:
            checks.ok(isinstance(error, expected), f"{work}, {answer}: {type(error).__name__}", error)
        checks.ok(launched(emulator) - before == times, f"and it was launched {times} times")


def check_unlisted(checks, emulator, client):
    everything = {"jobStatus": True, "launchStatus": True, "logEvents": True}
    put(checks, emulator, service={"unlisted": everything, "lag": {"jobs": 5}})
    job_id = launch(client, SERVERS[6])
    jobs = client.describe_jobs(filters={"jobIDs": [job_id]})["items"]
    checks.ok(jobs == [], "a new job is not listed yet", jobs)
    emulator.advance(60)
    job = client.describe_jobs(filters={"jobIDs": [job_id]})["items"][0]
    found = (job["status"], job["participatingServers"][0]["launchStatus"])
    checks.ok(found == ("UNLISTED", "UNLISTED"), "botocore parses statuses that it does not know", found)
    log = client.describe_job_log_items(jobID=job_id)["items"]
    checks.ok(log[1]["event"] == "UNLISTED", "and events", log)
