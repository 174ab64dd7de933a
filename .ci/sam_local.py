"""A signed press through ActionFunction, then its job through WorkerFunction, each by `sam local invoke`.

Started by .ci/sam-local, with AWS_ENDPOINT_URL set to an emulator and the functions built into .artifacts/sam-local.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import boto3
import yaml

from destination import Destination

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
    """Makes queue, table and secrets, and returns the variables that name them."""
    queue = boto3.client("sqs").create_queue(QueueName="sam-local-jobs")["QueueUrl"]
    # The table is the template's own, so that it is proved here too.
    table = template()["Resources"]["Table"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    boto3.client("dynamodb").create_table(TableName="sam-local", **{name: table[name] for name in wanted})
    for name, document in (("signing", signing), ("connections", connections)):
        boto3.client("secretsmanager").create_secret(Name=f"sam-local/{name}", SecretString=json.dumps(document))
    return {
        "STAGE": STAGE,
        "AWS_ENDPOINT_URL": Forwarder(urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])).url,
        "JOBS_QUEUE_URL": queue,
        "TABLE_NAME": "sam-local",
        "SIGNING_SECRET_ID": "sam-local/signing",
        "CONNECTION_SECRET_ID": "sam-local/connections",
        "EVENT_BUS_NAME": "default",
        "PIM_URL": "https://pim.example.com",
        "ALLOW_PRIVATE_NETWORK": "true",  # the destination is on this machine
    }


def invoke(function, event, variables):
    """Runs one function with one event, and returns its answer."""
    event_file, variables_file = work / f"{function}.json", work / "variables.json"
    event_file.write_text(json.dumps(event))
    variables_file.write_text(json.dumps({"Parameters": variables}))
    command = [
        ".ci/sam", "local", "invoke", function, "--template", ".artifacts/sam-local/template.yaml",
        "--event", event_file, "--env-vars", variables_file, "--parameter-overrides", f"Architecture={architecture}",
        "--skip-pull-image",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    logs.append(done.stderr)
    check(done.returncode == 0, f"sam local invoke {function}: exit status {done.returncode}")
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError) as problem:
        raise Failed(f"sam local invoke {function}: it printed no answer: {done.stdout!r}") from problem


def sqs_event(message):
    """The sample of events/ with a message that is really in the queue."""
    event = json.loads((root / "events/worker-jobs.json").read_text())
    (record,) = event["Records"]
    record["messageId"], record["receiptHandle"], record["body"] = message["MessageId"], message["ReceiptHandle"], message["Body"]
    return event


def read_job(job):
    row = boto3.client("dynamodb").get_item(
        TableName="sam-local", Key={"pk": {"S": f"JOB#{job}"}, "sk": {"S": "STATE"}}, ConsistentRead=True
    ).get("Item")
    check(row, f"job {job} has no record")
    return json.loads(row["json"]["S"])


def prove():
    destination = Destination(host)
    secret, token = secrets.token_hex(32), secrets.token_hex(16)
    variables = create_state(
        signing={"extensions": {EXTENSION: {"secrets": [secret]}}},
        connections={"auth": {"erp": {"bearer": token}}, "values": {"slack": destination.url + "/slack"}},
    ) | {"ERP_URL": destination.url}

    printed = subprocess.run(
        ["go", "run", "./events", SAMPLE, "--extension", EXTENSION, "--secret", secret],
        cwd=root, capture_output=True, text=True, check=True,
    )
    answer = invoke("ActionFunction", json.loads(printed.stdout), variables)
    check(answer["statusCode"] == 200, f"ActionFunction answered {answer}")
    found = re.search(r"Job ID: ([A-Za-z0-9_-]+)", json.loads(answer["body"])["message"])
    check(found, f"no job ID in {answer['body']}")
    job = found[1]
    print(f"ActionFunction: 200, job {job}")

    messages = boto3.client("sqs").receive_message(QueueUrl=variables["JOBS_QUEUE_URL"], WaitTimeSeconds=5).get("Messages", [])
    check(len(messages) == 1, f"{len(messages)} messages in the queue, not one")
    answer = invoke("WorkerFunction", sqs_event(messages[0]), variables)
    check(answer == {"batchItemFailures": []}, f"WorkerFunction answered {answer}")
    record = read_job(job)
    check(record["state"] == "succeeded" and record["done"] == record["total"] > 0, f"job {record}")
    print(f"WorkerFunction: no failures, job {record['state']} with {record['done']} of {record['total']} items")

    check(len(destination.received) == 1, f"the destination got {len(destination.received)} calls, not one")
    ((path, headers, body),) = destination.received
    check(headers.get("Authorization") == f"Bearer {token}", "the destination got no token")
    check(body["job"] == job and len(body["items"]) == record["total"], f"the destination got {path} {body}")
    print(f"destination: {len(body['items'])} items at {path}, Idempotency-Key {headers['Idempotency-Key']}")


try:
    prove()
except Failed as problem:
    print(*logs, file=sys.stderr)
    sys.exit(f"make sam-local: {problem}")
finally:
    shutil.rmtree(work)
print("sam local invoke: both functions did their part.")
