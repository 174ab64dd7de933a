"""Each function by `sam local invoke`, and the HTTP functions behind `sam local start-api`: signed presses and events go in,
the worker does what they brought.

Started by .ci/sam-local, with AWS_ENDPOINT_URL set to an emulator and the functions built into .artifacts/sam-local.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid

import boto3
import yaml

from destination import Destination
from senders import delta, event_platform, events_api, products, send

STAGE = "local"  # the entry of environments that takes plain http addresses
EXTENSION = "export_to_erp"
SAMPLE = "action-product-grid"

architecture = sys.argv[1]
host = sys.argv[2]  # this machine's address on Docker's bridge: where the functions can reach it
root = pathlib.Path(__file__).resolve().parent.parent
work = pathlib.Path(tempfile.mkdtemp(dir=root / ".artifacts"))


logs = []  # what the functions logged: shown if something is wrong


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


class Forwarder(socketserver.ThreadingTCPServer):
    """Brings connections on Docker's bridge to the emulator, which listens on the loopback interface alone."""

    daemon_threads = True

    def __init__(self, endpoint):
        super().__init__((host, 0), Connection)
        self.target = (endpoint.hostname, endpoint.port)
        self.url = f"http://{host}:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(self.server.target) as emulator:
            back = threading.Thread(target=pump, args=(emulator, self.request), daemon=True)
            back.start()
            pump(self.request, emulator)
            back.join()


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone, and sees it too


def template():
    """template.yaml; what CloudFormation's functions (!Ref …) would give is left out."""
    loader = type("Loader", (yaml.SafeLoader,), {})
    loader.add_multi_constructor("!", lambda *_: None)
    return yaml.load((root / "template.yaml").read_text(), loader)


def create_state(signing, connections):
    """Makes queues, table and secrets, and returns the variables that name them."""
    queues = {name: boto3.client("sqs").create_queue(QueueName=f"sam-local-{name}")["QueueUrl"] for name in ("jobs", "events", "events-dead")}
    # The table is the template's own, so that it is proved here too.
    table = template()["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    boto3.client("dynamodb").create_table(TableName="sam-local", **{name: table[name] for name in wanted})
    for name, document in (("signing", signing), ("connections", connections)):
        boto3.client("secretsmanager").create_secret(Name=f"sam-local/{name}", SecretString=json.dumps(document))
    return {
        "STAGE": STAGE,
        "AWS_ENDPOINT_URL": Forwarder(urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])).url,
        "JOBS_QUEUE_URL": queues["jobs"],
        "EVENTS_QUEUE_URL": queues["events"],
        "EVENTS_DLQ_URL": queues["events-dead"],
        "TABLE_NAME": "sam-local",
        "SIGNING_SECRET_ID": "sam-local/signing",
        "CONNECTION_SECRET_ID": "sam-local/connections",
        "EVENT_BUS_NAME": "default",
        "PIM_URL": "https://pim.example.com",
        "ALLOW_PRIVATE_NETWORK": "true",  # the destination is on this machine
    }


def sam_local(command, variables, *more):
    """The words of a `sam local` command on the functions that were built."""
    variables_file = work / "variables.json"
    variables_file.write_text(json.dumps({"Parameters": variables}))
    return [
        ".ci/sam", "local", command, *more, "--template", ".artifacts/sam-local/template.yaml", "--env-vars", variables_file,
        "--parameter-overrides", f"Architecture={architecture}", "--skip-pull-image",
    ]


def invoke(function, event, variables):
    """Runs one function with one event, and returns its answer."""
    event_file = work / f"{function}.json"
    event_file.write_text(json.dumps(event))
    done = subprocess.run(
        sam_local("invoke", variables, function, "--event", event_file), cwd=root, capture_output=True, text=True, timeout=300
    )
    logs.append(done.stderr)
    check(done.returncode == 0, f"sam local invoke {function}: exit status {done.returncode}")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as problem:
        raise Failed(f"sam local invoke {function}: it printed no answer: {done.stdout!r}") from problem


class Api:
    """The HTTP functions behind `sam local start-api`, on a free port of the loopback interface."""

    def __init__(self, variables):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.command = sam_local("start-api", variables, "--port", str(port), "--warm-containers", "EAGER")

    def __enter__(self):
        self.log = open(work / "start-api.log", "w+")
        self.process = subprocess.Popen(self.command, cwd=root, stdout=self.log, stderr=self.log, start_new_session=True)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", int(self.url.rsplit(":", 1)[1])), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.5)
        self.__exit__()
        raise Failed("sam local start-api did not begin to listen")

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)  # it removes its containers then
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
        self.log.seek(0)
        logs.append(self.log.read())
        self.log.close()


def take(queue):
    """Takes the messages that are in a queue out of it."""
    sqs, found = boto3.client("sqs"), []
    while messages := sqs.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"], AttributeNames=["All"]
    ).get("Messages"):
        found += messages
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


def sqs_event(messages, queue):
    """The sample of events/ with messages that are really in the queue."""
    event = json.loads((root / "events/lambda/worker-jobs.json").read_text())
    (sample,) = event["Records"]
    event["Records"] = [sample | {
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "attributes": sample["attributes"] | message.get("Attributes", {}),
        "messageAttributes": {
            name: {"stringValue": value["StringValue"], "dataType": "String", "stringListValues": [], "binaryListValues": []}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "eventSourceARN": f"arn:aws:sqs:eu-west-1:000000000000:{queue}",
    } for message in messages]
    return event


def sample(name, *flags):
    """The Lambda event that API Gateway would make of a sample, signed now."""
    printed = subprocess.run(["go", "run", "./functions/pimctl", "send", name, *flags], cwd=root, capture_output=True, text=True, check=True)
    return json.loads(printed.stdout)


def read_job(job):
    row = boto3.client("dynamodb").get_item(
        TableName="sam-local", Key={"pk": {"S": f"JOB#{job}"}, "sk": {"S": "STATE"}}, ConsistentRead=True
    ).get("Item")
    check(row, f"job {job} has no record")
    return json.loads(row["json"]["S"])


def prove_action(variables, secret, token, destination):
    answer = invoke("ActionFunction", sample(SAMPLE, "--extension", EXTENSION, "--secret", secret), variables)
    check(answer["statusCode"] == 200, f"ActionFunction answered {answer}")
    found = re.search(r"Job ID: ([A-Za-z0-9_-]+)", json.loads(answer["body"])["message"])
    check(found, f"no job ID in {answer['body']}")
    job = found[1]
    print(f"ActionFunction: 200, job {job}", flush=True)

    messages = take(variables["JOBS_QUEUE_URL"])
    check(len(messages) == 1, f"{len(messages)} messages in the queue, not one")
    answer = invoke("WorkerFunction", sqs_event(messages, "jobs"), variables)
    check(answer == {"batchItemFailures": []}, f"WorkerFunction answered {answer}")
    record = read_job(job)
    check(record["state"] == "succeeded" and record["done"] == record["total"] > 0, f"job {record}")
    print(f"WorkerFunction: no failures, job {record['state']} with {record['done']} of {record['total']} items", flush=True)

    check(len(destination.received) == 1, f"the destination got {len(destination.received)} calls, not one")
    ((path, headers, body),) = destination.received
    check(headers.get("Authorization") == f"Bearer {token}", "the destination got no token")
    check(body["job"] == job and len(body["items"]) == record["total"], f"the destination got {path} {body}")
    print(f"destination: {len(body['items'])} items at {path}, Idempotency-Key {headers['Idempotency-Key']}", flush=True)


def prove_events(variables, secret, destination):
    answer = invoke("EventPlatformFunction", sample("event-platform-product-deleted", "--fresh", "--secret", secret), variables)
    check(answer["statusCode"] == 200, f"EventPlatformFunction answered {answer}")
    answer = invoke("EventsApiFunction", sample("events-api-ten", "--fresh", "--secret", secret), variables)
    check(answer["statusCode"] == 200, f"EventsApiFunction answered {answer}")
    messages = take(variables["EVENTS_QUEUE_URL"])
    check(len(messages) == 11, f"{len(messages)} events in the queue, not eleven")
    print("EventPlatformFunction, EventsApiFunction: 200, eleven events in the queue", flush=True)

    before = len(destination.received)
    answer = invoke("WorkerFunction", sqs_event(messages, "events"), variables)
    check(answer == {"batchItemFailures": []}, f"WorkerFunction answered {answer}")
    got = [headers["Idempotency-Key"] for _, headers, _ in destination.received[before:]]
    check(len(got) == 1 and re.fullmatch("event-platform/main/[0-9a-f-]{36}/catalogue", got[0]), f"the destination got {got}")
    print(f"WorkerFunction: no failures, the event that a subscription wants went out under {got[0]}", flush=True)


def prove_pages(variables, panel, history, contentful):
    answer = invoke("IframeFunction", sample("iframe-start", "--fresh", "--secret", panel), variables)
    check(answer["statusCode"] == 200, f"IframeFunction answered {answer}")
    job = json.loads(answer["body"])["job"]["id"]
    check(read_job(job)["total"] == 3 and len(take(variables["JOBS_QUEUE_URL"])) == 1, f"job {job} is not recorded and queued")
    print(f"IframeFunction: 200, job {job}", flush=True)
    answer = invoke("ContentfulFunction", sample("contentful-entries", "--secret", contentful), variables)
    check(answer["statusCode"] == 202 and read_job(json.loads(answer["body"])["job"])["total"] == 2, f"ContentfulFunction answered {answer}")
    take(variables["JOBS_QUEUE_URL"])
    print("ContentfulFunction: 202, a job of two entries", flush=True)
    answer = invoke("DataFunction", sample("data-product", "--secret", history), variables)
    check(answer["statusCode"] == 200 and json.loads(answer["body"]) == {"jobs": [], "events": []}, f"DataFunction answered {answer}")
    print("DataFunction: 200, nothing is known of the product", flush=True)


def prove_api(variables, secret):
    with Api(variables) as api:
        printed = subprocess.run(
            ["go", "run", "./functions/pimctl", "send", SAMPLE, api.url, "--extension", EXTENSION, "--secret", secret, "--fresh"],
            cwd=root, capture_output=True, text=True,
        )
        check("Job ID: " in printed.stdout, f"a press at start-api: {printed.stdout}{printed.stderr}")
        bodies = [delta(str(uuid.uuid4())) for _ in range(10)]
        for body in bodies:
            status, text = send(api.url + "/event-platform/main", body, headers=event_platform(secret, body))
            check(status == 200, f"an event at start-api: {status} {text}")
        body = products([str(uuid.uuid4()) for _ in range(10)])
        status, text = send(api.url + "/events-api/main", body, headers=events_api(secret, body))
        check(status == 200, f"ten events at start-api: {status} {text}")
        status, text = send(api.url + "/event-platfrom/main", b"{}")
        check(status == 401, f"a mistyped path at start-api: {status} {text}")
    events = take(variables["EVENTS_QUEUE_URL"])
    check(len(events) == 20 and len(take(variables["JOBS_QUEUE_URL"])) == 1, f"{len(events)} events in the queue, not twenty")
    print("start-api: a press, ten events of each API: 200, all in the queues; a mistyped path: 401", flush=True)


def prove():
    destination = Destination(host)
    secret, panel, history, contentful, token = (secrets.token_hex(32) for _ in range(5))  # none is shared: that would close them
    variables = create_state(
        signing={"extensions": {
            EXTENSION: {"secrets": [secret]}, "jobs_panel": {"secrets": [panel]},
            "product_history": {"credential": {"type": "bearer", "token": history}},
        }, "events-api": {"main": [secret]}, "event-platform": {"main": [secret]}, "contentful": [contentful]},
        connections={"auth": {"erp": {"bearer": token}}, "values": {"slack": destination.url + "/slack"}},
    ) | {"ERP_URL": destination.url}
    prove_action(variables, secret, token, destination)
    prove_events(variables, secret, destination)
    prove_pages(variables, panel, history, contentful)
    prove_api(variables, secret)


try:
    prove()
except Failed as problem:
    print(*logs, file=sys.stderr)
    sys.exit(f"make sam-local: {problem}")
finally:
    shutil.rmtree(work)
print("sam local: every function did its part.")
