"""Puts an emulator through its paces with boto3, the referee of the wire protocol.

    pip install -r requirements.txt
    python drs_client.py http://127.0.0.1:PORT

The emulator has to run the scenario `all`, or for the failures `mishaps`, with a manual clock, and
nothing may have been launched yet. If its recovery instances really listen, that is checked too:

    cargo run -p tidegate-emulator --example serve -- 127.0.0.1:0 manual [mishaps]
    cargo run -p tidegate-emulator --example serve -- 127.0.0.1:0 manual all 127.80.0.0/16

Every answer is checked twice: by botocore, which parses leniently, and here, raw, against the
service model's output shape (no unknown member, required members there, types right, enum values
known). One line per check; the first that fails ends the run with status 1.
"""

import ipaddress
import json
import socket
import sys
import urllib.error
import urllib.request
from datetime import datetime

import boto3
from botocore.config import Config

from faults import check_faults
from roles import check_roles
from shape_validator import ShapeValidator

ACCOUNT = "123456789012"
DB = [f"s-10000000000db{n:04}" for n in range(1, 13)]
APP = [f"s-10000000000aa{n:04}" for n in range(1, 25)]
WEB = [f"s-10000000000eb{n:04}" for n in range(1, 25)]
RECORDED_DB = ["s-51d6b65c73391918f", "s-5c555d9c008f90131"]


class Checks:
    """Counts what passed and stops at what did not."""

    def __init__(self):
        self.passed = 0

    def ok(self, condition, what, detail=""):
        if not condition:
            print(f"FAILED  {what}  {detail}")
            print(f"{self.passed} passed, 1 failed")
            sys.exit(1)
        self.passed += 1
        print(f"ok      {what}")

    def raises(self, expected, status, call, what, **arguments):
        try:
            call(**arguments)
        except Exception as error:  # every type but the expected one fails the check
            kind = type(error).__name__
            detail = f"{kind}: {error}"
            self.ok(kind == expected, what, detail)
            self.ok(error.response["ResponseMetadata"]["HTTPStatusCode"] == status, f"{what}: status {status}", detail)
            return error.response
        self.ok(False, what, "nothing was raised")


class Emulator:
    """The endpoint, its control API and its clients."""

    def __init__(self, url):
        self.url = url.rstrip("/")
        self.validators = []

    def client(self, region="us-west-2", key=ACCOUNT, validate=True):
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=validate)
        client = boto3.client(
            "drs", endpoint_url=self.url, region_name=region, config=config,
            aws_access_key_id=key, aws_secret_access_key="unused",
        )
        validator = ShapeValidator(client.meta.service_model)
        self.hook(client, validator)
        self.validators.append(validator)
        return client

    @staticmethod
    def hook(client, validator):
        send = client._endpoint.http_session.send
        current = {}

        def remember(model, **_):
            current["operation"] = model

        def sent(request):
            response = send(request)
            validator.on_response(response, current["operation"])
            return response

        client.meta.events.register("before-call.drs", remember)
        client._endpoint.http_session.send = sent

    def raw(self, path, body=None, method=None, headers=None):
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.loads(response.read() or b"null"), response.headers
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null"), error.headers

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        status, answer, _ = self.raw(f"/_emulator/{path}", data, headers={"content-type": "application/json"})
        return status, answer

    def advance(self, seconds):
        status, answer = self.control("advance", {"seconds": seconds})
        assert status == 200, f"advance: {status} {answer}"


    def workloads(self):
        status, answer = self.control("workloads")
        assert status == 200, f"workloads: {status} {answer}"
        return answer["loopback"], {workload["sourceServerID"]: workload for workload in answer["workloads"]}


def is_open(address, port):
    try:
        with socket.create_connection((address, port), timeout=5):
            return True
    except ConnectionRefusedError:
        return False


def health_of(address, port):
    try:
        with urllib.request.urlopen(f"http://{address}:{port}/healthz", timeout=5) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def job_of(client, job_id):
    return client.describe_jobs(filters={"jobIDs": [job_id]})["items"][0]


def events_of(client, job_id, page=None):
    pages = client.get_paginator("describe_job_log_items").paginate(
        jobID=job_id, PaginationConfig={"PageSize": page or 200}
    )
    return [item for answer in pages for item in answer["items"]]


def launch(client, ids, drill=True, **more):
    servers = [{"sourceServerID": server} for server in ids]
    return client.start_recovery(sourceServers=servers, isDrill=drill, **more)["job"]


def check_control(checks, emulator):
    status, state = emulator.control("state")
    checks.ok(status == 200 and state["speed"] is None, "the clock is manual", state)
    checks.ok(state["launches"] == 0, "nothing was launched yet", state)
    status, _ = emulator.control("advance", {"seconds": -1})
    checks.ok(status == 400, "time does not go back")
    return state["scenario"]


def check_source_servers(checks, client):
    everyone = client.describe_source_servers(maxResults=1000)["items"]
    checks.ok(len(everyone) == 178, "us-west-2 has 178 source servers", len(everyone))
    pages = list(client.get_paginator("describe_source_servers").paginate(PaginationConfig={"PageSize": 50}))
    checks.ok([len(page["items"]) for page in pages] == [50, 50, 50, 28], "pages of 50")
    paged = [server["sourceServerID"] for page in pages for server in page["items"]]
    checks.ok(paged == [server["sourceServerID"] for server in everyone], "pages hold all, once, in order")
    some = client.describe_source_servers(filters={"sourceServerIDs": [DB[0], WEB[3]]})["items"]
    checks.ok([s["sourceServerID"] for s in some] == [DB[0], WEB[3]], "filter by source server id")
    checks.ok(some[0]["tags"] == {"app": "shop", "tier": "db"}, "tags of a server")
    checks.ok(some[0]["lifeCycle"]["lastLaunch"]["initiated"] == {}, "initiated is present and empty before a launch")
    checks.ok(some[0]["dataReplicationInfo"]["lagDuration"] == "P0D", "lagDuration is P0D")
    checks.ok(some[0]["sourceProperties"]["identificationHints"]["hostname"] == "db-01.shop.example", "hostname")
    recorded = client.describe_source_servers(filters={"hardwareId": "i-0b3407219a2297268"})["items"]
    checks.ok([s["sourceServerID"] for s in recorded] == RECORDED_DB[:1], "filter by hardware id")
    staged = client.describe_source_servers(filters={"stagingAccountIDs": [ACCOUNT]})["items"]
    checks.ok(staged == [], "no server is extended from a staging account")
    empty = client.describe_source_servers(filters={"sourceServerIDs": []}, maxResults=1)["items"]
    checks.ok(len(empty) == 1, "an empty filter means all")
    unknown = client.describe_source_servers(filters={"sourceServerIDs": ["s-fffffffffffffffff"]})["items"]
    checks.ok(unknown == [], "an unknown id in a filter finds nothing")


def check_recorded_drill(checks, emulator, client):
    job = launch(client, RECORDED_DB, tags={"launch-key": "one"})
    job_id = job["jobID"]
    checks.ok(job["status"] == "PENDING" and job["initiatedBy"] == "START_DRILL", "a drill is accepted", job)
    checks.ok(job["tags"] == {"launch-key": "one"}, "the job has the tags of the call")
    busy = checks.raises("ConflictException", 409, launch, "a server is in one live job", client=client, ids=RECORDED_DB[:1])
    checks.ok(busy["resourceId"] == RECORDED_DB[0], "the conflict names the server", busy)
    emulator.advance(1)
    job = job_of(client, job_id)
    statuses = [server["launchStatus"] for server in job["participatingServers"]]
    checks.ok(job["status"] == "STARTED" and statuses == ["IN_PROGRESS"] * 2, "after a second it is under way", job)
    emulator.advance(599)
    job = job_of(client, job_id)
    statuses = [server["launchStatus"] for server in job["participatingServers"]]
    checks.ok(job["status"] == "COMPLETED" and statuses == ["LAUNCHED"] * 2, "after ten minutes it is over", job)
    checks.ok(all("recoveryInstanceID" not in s for s in job["participatingServers"]), "recoveryInstanceID is absent, as recorded")
    names = [item["event"] for item in events_of(client, job_id)]
    phases = ["SNAPSHOT_START", "SNAPSHOT_END", "CONVERSION_START", "CONVERSION_END", "LAUNCH_START", "LAUNCH_END"]
    checks.ok(names == ["JOB_START"] + [name for name in phases for _ in (0, 1)] + ["JOB_END"], "the log is the recorded one", names)
    checks.ok(events_of(client, job_id, page=3) == events_of(client, job_id), "the log in pages of 3")
    ends = [item["eventData"]["targetInstanceID"] for item in events_of(client, job_id) if item["event"] == "LAUNCH_END"]
    checks.ok(ends == ["i-0f554975a5cf3245e", "i-04506d5ee9a75c1e7"], "the recorded instances were launched", ends)
    server = client.describe_source_servers(filters={"sourceServerIDs": RECORDED_DB[:1]})["items"][0]
    initiated = server["lifeCycle"]["lastLaunch"]["initiated"]
    checks.ok(initiated["jobID"] == job_id and initiated["type"] == "DRILL", "lastLaunch names the job", initiated)
    checks.ok(server["lastLaunchResult"] == "SUCCEEDED", "lastLaunchResult")
    checks.ok(server["recoveryInstanceId"] == "i-04506d5ee9a75c1e7", "the server names its recovery instance")
    return job_id


def check_recovery_instances(checks, client, job_id, loopback):
    items = client.describe_recovery_instances(filters={"sourceServerIDs": RECORDED_DB})["items"]
    checks.ok(len(items) == 2 and all(i["isDrill"] and i["jobID"] == job_id for i in items), "two drill instances", items)
    checks.ok(all(i["ec2InstanceState"] == "RUNNING" for i in items), "they run")
    interfaces = [interface for i in items for interface in i["recoveryInstanceProperties"]["networkInterfaces"]]
    checks.ok([interface["isPrimary"] for interface in interfaces] == [True, True], "they have one interface each", interfaces)
    checks.ok(all(interface["macAddress"] for interface in interfaces), "with a MAC address", interfaces)
    addresses = [ipaddress.IPv4Address(ip) for interface in interfaces for ip in interface["ips"]]
    network = ipaddress.IPv4Network(loopback or "10.0.0.0/8")
    checks.ok(all(address in network for address in addresses), f"and an address in {network}", addresses)
    checks.ok(len(set(addresses)) == 2, "of its own", addresses)
    ids = [i["recoveryInstanceID"] for i in items]
    one = client.describe_recovery_instances(filters={"recoveryInstanceIDs": ids[:1]})["items"]
    checks.ok([i["recoveryInstanceID"] for i in one] == ids[:1], "filter by recovery instance id")
    pages = list(client.get_paginator("describe_recovery_instances").paginate(PaginationConfig={"PageSize": 1}))
    checks.ok([len(page["items"]) for page in pages] == [1, 1], "recovery instances in pages of 1")
    return items


def check_workloads(checks, emulator, instances):
    loopback, workloads = emulator.workloads()
    checks.ok(len(workloads) == 182, "every server has a workload", len(workloads))
    running = [workload for workload in workloads.values() if workload["state"] != "DOWN"]
    checks.ok([workload["sourceServerID"] for workload in running] == sorted(RECORDED_DB), "only launched ones are up", running)
    checks.ok({workload["state"] for workload in running} == {"HEALTHY"}, "and healthy", running)
    addresses = {i["sourceServerID"]: i["recoveryInstanceProperties"]["networkInterfaces"][0]["ips"][0] for i in instances}
    checks.ok(all(workload["address"] == addresses[workload["sourceServerID"]] for workload in running), "at their addresses")
    checks.ok(all(workload["open"] == ([5432] if loopback else []) for workload in running), "listening, if wanted", running)
    status, told = emulator.control(f"workloads/{RECORDED_DB[0]}", {"healthy": False})
    checks.ok((status, told["state"], told["open"]) == (200, "UNHEALTHY", []), "a workload is broken by word", told)
    checks.ok(not loopback or not is_open(told["address"], 5432), "and refuses connections")
    status, told = emulator.control(f"workloads/{RECORDED_DB[0]}", {"healthy": True})
    checks.ok((status, told["state"]) == (200, "HEALTHY"), "and repaired", told)
    checks.ok(not loopback or is_open(told["address"], 5432), "and takes connections")
    status, _ = emulator.control("workloads/s-fffffffffffffffff", {"healthy": True})
    checks.ok(status == 404, "a word about nothing")


def check_health(checks, emulator, client):
    loopback, _ = emulator.workloads()
    launch(client, WEB[:2])
    emulator.advance(1200)
    emulator.control(f"workloads/{WEB[0]}", {"healthy": False})
    items = client.describe_recovery_instances(filters={"sourceServerIDs": WEB[:2]})["items"]
    for item in items if loopback else []:
        server = item["sourceServerID"]
        address = item["recoveryInstanceProperties"]["networkInterfaces"][0]["ips"][0]
        status, body = health_of(address, 8080)
        checks.ok(status == (503 if server == WEB[0] else 200), f"health of {server} at {address}: {status}", body)
        checks.ok(body["server"] == server and body["instance"] == item["recoveryInstanceID"], "with its names", body)
    states = [emulator.workloads()[1][server]["state"] for server in WEB[:2]]
    checks.ok(states == ["UNHEALTHY", "HEALTHY"], "a web server is broken, another is not", states)


def check_replacement(checks, emulator, client, before):
    job = launch(client, RECORDED_DB[:1], drill=False)
    checks.ok(job["initiatedBy"] == "START_RECOVERY", "a recovery in earnest is one")
    emulator.advance(900)
    names = [item["event"] for item in events_of(client, job["jobID"])]
    checks.ok(names[:3] == ["JOB_START", "CLEANUP_START", "CLEANUP_END"], "the older instance goes first", names)
    now = client.describe_recovery_instances(filters={"sourceServerIDs": RECORDED_DB[:1]})["items"]
    old = {i["recoveryInstanceID"] for i in before}
    checks.ok(len(now) == 1 and now[0]["recoveryInstanceID"] not in old and not now[0]["isDrill"], "one new instance", now)


def check_terminate(checks, emulator, client):
    ids = [i["recoveryInstanceID"] for i in client.describe_recovery_instances()["items"]]
    job = client.terminate_recovery_instances(recoveryInstanceIDs=ids)["job"]
    checks.ok(job["type"] == "TERMINATE" and job["initiatedBy"] == "TERMINATE_RECOVERY_INSTANCES", "a TERMINATE job", job)
    checks.raises("ConflictException", 409, client.terminate_recovery_instances, "an instance is terminated once", recoveryInstanceIDs=ids)
    emulator.advance(5)
    states = {i["ec2InstanceState"] for i in client.describe_recovery_instances()["items"]}
    checks.ok(states == {"SHUTTING-DOWN"}, "instances shut down", states)
    emulator.advance(120)
    checks.ok(client.describe_recovery_instances()["items"] == [], "instances are gone")
    job = job_of(client, job["jobID"])
    checks.ok({s["launchStatus"] for s in job["participatingServers"]} == {"TERMINATED"}, "servers are TERMINATED", job)
    server = client.describe_source_servers(filters={"sourceServerIDs": RECORDED_DB[:1]})["items"][0]
    checks.ok("recoveryInstanceId" not in server, "the server names no recovery instance")
    checks.raises("ResourceNotFoundException", 404, client.terminate_recovery_instances, "a terminated instance is not found", recoveryInstanceIDs=ids)


def check_snapshots(checks, emulator, client):
    describe = client.describe_recovery_snapshots
    items = describe(sourceServerID=DB[0])["items"]
    checks.ok(len(items) > 24, "a server has snapshots", len(items))
    _, state = emulator.control("state")
    age = (datetime.fromisoformat(state["now"]) - datetime.fromisoformat(items[-1]["timestamp"])).total_seconds()
    checks.ok(0 <= age < 602, "the newest is of the last ten emulated minutes", age)
    newest = describe(sourceServerID=DB[0], order="DESC", maxResults=1)
    checks.ok(newest["items"][0] == items[-1] and "nextToken" in newest, "the newest first, if asked")
    pages = list(client.get_paginator("describe_recovery_snapshots").paginate(sourceServerID=DB[0], order="DESC", PaginationConfig={"PageSize": 7}))
    checks.ok([s for page in pages for s in page["items"]] == items[::-1], "snapshots in pages of 7")
    middle = items[len(items) // 2]["timestamp"]
    early = describe(sourceServerID=DB[0], filters={"toDateTime": middle})["items"]
    late = describe(sourceServerID=DB[0], filters={"fromDateTime": middle})["items"]
    checks.ok(len(early) + len(late) == len(items) + 1, "filter by time")
    checks.raises("ValidationException", 400, describe, "snapshots of an unknown server", sourceServerID="s-fffffffffffffffff")
    pinned = {"sourceServerID": DB[0], "recoverySnapshotID": items[-1]["snapshotID"]}
    job = client.start_recovery(sourceServers=[pinned], isDrill=True)["job"]
    emulator.advance(900)
    names = [item["event"] for item in events_of(client, job["jobID"])]
    checks.ok("LAUNCH_END" in names and "SNAPSHOT_START" not in names, "a pinned launch takes no snapshot", names)
    instance = client.describe_recovery_instances(filters={"sourceServerIDs": [DB[0]]})["items"][0]
    checks.ok(instance["pointInTimeSnapshotDateTime"] == items[-1]["timestamp"], "its data is the snapshot's")
    lost = {"sourceServerID": DB[1], "recoverySnapshotID": "pit-fffffffffffffffff"}
    checks.raises("ResourceNotFoundException", 404, client.start_recovery, "an unknown snapshot", sourceServers=[lost])


def check_tags(checks, client, job_id):
    server = f"arn:aws:drs:us-west-2:{ACCOUNT}:source-server/{WEB[0]}"
    job = f"arn:aws:drs:us-west-2:{ACCOUNT}:job/{job_id}"
    instance = client.describe_recovery_instances()["items"][0]["arn"]
    for arn, what in ((server, "source server"), (job, "job"), (instance, "recovery instance")):
        before = client.list_tags_for_resource(resourceArn=arn)["tags"]
        client.tag_resource(resourceArn=arn, tags={"a key/with+signs": "1", "plain": "2"})
        tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
        checks.ok(tags == {**before, "a key/with+signs": "1", "plain": "2"}, f"tags of a {what}", tags)
        client.untag_resource(resourceArn=arn, tagKeys=["a key/with+signs", "plain", "absent"])
        checks.ok(client.list_tags_for_resource(resourceArn=arn)["tags"] == before, f"tags of a {what} removed")
    lost = server.replace(WEB[0], "s-fffffffffffffffff")
    for call, more in ((client.list_tags_for_resource, {}), (client.tag_resource, {"tags": {"a": "b"}}), (client.untag_resource, {"tagKeys": ["a"]})):
        checks.raises("ResourceNotFoundException", 404, call, f"{call.__name__} of nothing", resourceArn=lost, **more)
    checks.raises("ValidationException", 400, client.tag_resource, "a reserved key", resourceArn=server, tags={"aws:x": "y"})
    many = {f"k{n}": "v" for n in range(60)}
    checks.raises("ValidationException", 400, client.tag_resource, "too many tags", resourceArn=server, tags=many)
    checks.raises("ValidationException", 400, client.list_tags_for_resource, "an ARN of another kind", resourceArn=f"arn:aws:drs:us-west-2:{ACCOUNT}:plan/p-1")


def check_jobs(checks, emulator, client, first_job):
    items = client.describe_jobs()["items"]
    dates = [job["creationDateTime"] for job in items]
    checks.ok(dates == sorted(dates, reverse=True), "jobs are listed newest first", dates)
    pages = list(client.get_paginator("describe_jobs").paginate(PaginationConfig={"PageSize": 2}))
    checks.ok([job for page in pages for job in page["items"]] == items, "jobs in pages of 2")
    since = client.describe_jobs(filters={"fromDate": dates[1].replace("+00:00", "Z")})["items"]
    checks.ok(since == items[:2], "filter by fromDate")
    until = client.describe_jobs(filters={"toDate": dates[-1].replace("+00:00", "Z")})["items"]
    checks.ok([job["jobID"] for job in until] == [first_job], "filter by toDate")
    none = client.describe_jobs(filters={"jobIDs": ["drsjob-fffffffffffffffff"]})["items"]
    checks.ok(none == [], "an unknown job in a filter finds nothing")
    thousand = [f"drsjob-{n:017}" for n in range(999)] + [first_job]
    found = client.describe_jobs(filters={"jobIDs": thousand})["items"]
    checks.ok([job["jobID"] for job in found] == [first_job], "1,000 job ids in one call")
    token = client.describe_jobs(maxResults=1)["nextToken"]
    launch(client, APP[:1])
    second = client.describe_jobs(maxResults=1, nextToken=token)["items"]
    checks.ok(second == items[1:2], "a new job does not move the pages of an older listing")
    emulator.advance(1200)


def check_launch_configuration(checks, client):
    got = client.get_launch_configuration(sourceServerID=DB[0])
    checks.ok(got["sourceServerID"] == DB[0] and got["launchDisposition"] == "STARTED", "launch configuration", got)
    checks.raises("ResourceNotFoundException", 404, client.get_launch_configuration, "launch configuration of nothing", sourceServerID="s-fffffffffffffffff")


def check_quotas(checks, emulator, client):
    many = [f"s-30000000000{wave:02}{n:04}" for wave in range(1, 26) for n in range(1, 5)]
    error = checks.raises("ServiceQuotaExceededException", 402, launch, "101 servers in a job", client=client, ids=many + DB[:1])
    checks.ok(error["quotaCode"] == "L-B827C881", "the quota has its code", error)
    for server in many[:20]:
        launch(client, [server])
    error = checks.raises("ServiceQuotaExceededException", 402, launch, "a 21st live job", client=client, ids=many[20:21])
    checks.ok(error["quotaCode"] == "L-D88FAC3A", "the quota has its code", error)
    emulator.advance(1200)
    job = launch(client, many)
    checks.ok(len(job["participatingServers"]) == 100, "100 servers in a job")
    emulator.advance(1200)
    statuses = {s["launchStatus"] for s in job_of(client, job["jobID"])["participatingServers"]}
    checks.ok(statuses == {"LAUNCHED"}, "all of them launch", statuses)
    items = events_of(client, job["jobID"])
    checks.ok(len(items) == 2 + 100 * 6 + 20 * 2, "a log of several pages", len(items))


def check_errors(checks, emulator, client):
    loose = emulator.client(validate=False)
    checks.raises("ValidationException", 400, loose.start_recovery, "no servers", sourceServers=[])
    checks.raises("ValidationException", 400, loose.start_recovery, "a server twice", sourceServers=[{"sourceServerID": DB[2]}] * 2)
    error = checks.raises("ValidationException", 400, loose.start_recovery, "a malformed id", sourceServers=[{"sourceServerID": "db-1"}])
    checks.ok(error["reason"] == "fieldValidationFailed" and error["fieldList"][0]["name"] == "sourceServers.member.sourceServerID", "the field is named", error)
    checks.raises("ValidationException", 400, loose.describe_jobs, "maxResults of 0", maxResults=0)
    checks.raises("ValidationException", 400, loose.describe_jobs, "a foreign token", nextToken="nonsense")
    checks.raises("ValidationException", 400, loose.describe_jobs, "a malformed date", filters={"fromDate": "yesterday"})
    checks.raises("ValidationException", 400, loose.describe_job_log_items, "the log of an unknown job", jobID="drsjob-fffffffffffffffff")
    checks.raises("ResourceNotFoundException", 404, client.start_recovery, "an unknown server", sourceServers=[{"sourceServerID": "s-fffffffffffffffff"}])
    checks.raises("UninitializedAccountException", 400, emulator.client(region="eu-west-1").describe_jobs, "a Region without DRS")
    checks.raises("UninitializedAccountException", 400, emulator.client(key="999999999999").describe_jobs, "an account without DRS")
    other = emulator.client(region="us-east-2")
    servers = other.describe_source_servers()["items"]
    checks.ok([s["tags"]["tier"] for s in servers] == ["search"] * 4, "us-east-2 has its own servers")
    checks.ok(other.describe_jobs()["items"] == [], "and its own jobs")
    key = emulator.client(key="AKIDEXAMPLE").describe_source_servers(maxResults=1)["items"]
    checks.ok(f":{ACCOUNT}:" in key[0]["arn"], "another key is the default account")


def check_front_door(checks, emulator):
    status, body, headers = emulator.raw("/DescribeJobs", b"{}")
    checks.ok((status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException"), "no Authorization", body)
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/us-west-2/drs/aws4_request, SignedHeaders=host, Signature=0"}
    status, body, headers = emulator.raw("/DescribeJobs", b"{}", headers={"authorization": "Basic eDp5"})
    checks.ok((status, headers["x-amzn-ErrorType"]) == (403, "IncompleteSignatureException"), "a malformed Authorization", body)
    for text, what in ((b"{", "half a body"), (b'{"maxResults": "ten"}', "a member of another type")):
        status, body, headers = emulator.raw("/DescribeJobs", text, headers=signed)
        checks.ok((status, headers["x-amzn-ErrorType"]) == (400, "SerializationException"), what, body)
    status, body, headers = emulator.raw("/DescribeJobs", b" " * (1024 * 1024 + 1), headers=signed)
    checks.ok((status, headers["x-amzn-ErrorType"]) == (413, "RequestEntityTooLargeException"), "a body over 1 MiB", body)
    status, body, _ = emulator.raw("/StartFailbackLaunch", b"{}", headers=signed)
    checks.ok(status == 501 and "StartFailbackLaunch" in body["message"], "an operation that is not emulated", body)
    status, body, headers = emulator.raw("/DescribeJobs", b"", headers=signed)
    checks.ok(status == 200 and headers["x-amzn-RequestId"], "an empty body is an empty request", body)


def check_record(checks, emulator):
    _, answer = emulator.control("launches")
    launches = answer["launches"]
    pairs = [(record["jobID"], record["sourceServerID"]) for record in launches]
    checks.ok(len(pairs) == len(set(pairs)) == 127, "every accepted launch is on record, once", len(pairs))
    checks.ok(launches[0]["tags"] == {"launch-key": "one"} and launches[0]["isDrill"], "with its tags and flag", launches[0])
    _, state = emulator.control("state")
    checks.ok(state["calls"]["StartRecovery"] > 26, "calls are counted, refused ones too", state["calls"])
    answers = sum(validator.answers for validator in emulator.validators)
    checks.ok(answers > 100, f"{answers} raw answers fit the service model's shapes")


def check_mishaps(checks, emulator, client):
    servers = client.describe_source_servers()["items"]
    mishap = {server["sourceServerID"]: server["tags"]["mishap"] for server in servers}
    ids = sorted(mishap)
    seen = set()
    expected = [
        {"snapshot-fails-once": "FAILED", "conversion-fails-twice": "FAILED", "launch-fails-always": "FAILED",
         "skipped-once": "PENDING"},
        {"conversion-fails-twice": "FAILED", "launch-fails-always": "FAILED"},
        {"launch-fails-always": "FAILED"},
    ]
    for number, failing in enumerate(expected, 1):
        job_id = launch(client, ids)["jobID"]
        emulator.advance(2 * 3600)
        statuses = {s["sourceServerID"]: s["launchStatus"] for s in job_of(client, job_id)["participatingServers"]}
        wanted = {server: failing.get(mishap[server], "LAUNCHED") for server in ids}
        checks.ok(statuses == wanted, f"launch {number} of all goes as scripted", statuses)
        seen |= {item["event"] for item in events_of(client, job_id)}
    skipped = [server for server in ids if mishap[server] == "skipped-once"]
    results = {s["sourceServerID"]: s["lastLaunchResult"] for s in client.describe_source_servers()["items"]}
    failed = {server for server in ids if results[server] == "FAILED"}
    checks.ok(failed == {s for s in ids if mishap[s] == "launch-fails-always"}, "lastLaunchResult tells the failed", results)
    checks.ok(all(results[server] == "SUCCEEDED" for server in skipped), "and the launched", results)
    for expected_left in (2, 0):
        left = client.describe_recovery_instances()["items"]
        job_id = client.terminate_recovery_instances(recoveryInstanceIDs=[i["recoveryInstanceID"] for i in left])["job"]["jobID"]
        emulator.advance(600)
        seen |= {item["event"] for item in events_of(client, job_id)}
        left = client.describe_recovery_instances()["items"]
        checks.ok(len(left) == expected_left, f"{expected_left} instances are left after terminating all", left)
    wanted = {"SERVER_SKIPPED", "SNAPSHOT_FAIL", "CONVERSION_FAIL", "LAUNCH_FAILED", "USING_PREVIOUS_SNAPSHOT", "CLEANUP_FAIL"}
    checks.ok(wanted <= seen, "the logs tell every mishap", seen)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    checks, emulator = Checks(), Emulator(sys.argv[1])
    client = emulator.client()
    scenario = check_control(checks, emulator)
    if scenario == "mishaps":
        check_mishaps(checks, emulator, client)
    else:
        checks.ok(scenario == "all", "the scenario is `all`", scenario)
        check_all(checks, emulator, client)
    print(f"{checks.passed} passed, 0 failed")


def check_all(checks, emulator, client):
    check_source_servers(checks, client)
    job_id = check_recorded_drill(checks, emulator, client)
    loopback, _ = emulator.workloads()
    instances = check_recovery_instances(checks, client, job_id, loopback)
    check_workloads(checks, emulator, instances)
    check_replacement(checks, emulator, client, instances)
    check_terminate(checks, emulator, client)
    check_snapshots(checks, emulator, client)
    check_tags(checks, client, job_id)
    check_jobs(checks, emulator, client, job_id)
    check_launch_configuration(checks, client)
    check_quotas(checks, emulator, client)
    check_health(checks, emulator, client)
    check_errors(checks, emulator, client)
    check_front_door(checks, emulator)
    check_record(checks, emulator)
    check_faults(checks, emulator, client, ACCOUNT)
    check_roles(checks, emulator, ACCOUNT)


if __name__ == "__main__":
    try:
        main()
    except AssertionError as unfit:
        sys.exit(f"FAILED  an answer does not fit the service model: {unfit}")
