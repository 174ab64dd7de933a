"""The template, deployed with `sam deploy` to an AWS emulator that runs the functions, and reachable over HTTP."""

import http.client
import http.server
import json
import os
import pathlib
import secrets
import signal
import subprocess
import threading
import time
import urllib.parse

import boto3

STACK = "pim-functions-verify"
STAGE = "local"  # the entry of environments that takes plain http addresses
VISIBILITY = 12  # seconds: a worker that died is replaced soon
RECEIVES = 2  # so that a dead letter takes seconds

root = pathlib.Path(__file__).resolve().parent.parent


class Failed(Exception):
    """Something is not as it should be. Its text says what."""


def check(condition, text):
    if not condition:
        raise Failed(text)


def until(what, holds, seconds=90):
    """Waits for what comes by itself, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.2)
    raise Failed(f"still waiting after {seconds} s until {what}")


def run(*command, **variables):
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env=os.environ | variables)
    check(done.returncode == 0, f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Deployment:
    """A deployed stack. url is where the PIM would call, outputs what the template promises."""

    def __init__(self, template, architecture, destination):
        self.template, self.architecture, self.destination = template, architecture, destination
        self.sqs, self.dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
        self.vault, self.lambdas = boto3.client("secretsmanager"), boto3.client("lambda")

    def __enter__(self):
        parameters = {
            "Architecture": self.architecture, "Stage": STAGE, "AwsEndpointUrl": os.environ["AWS_ENDPOINT_URL"],
            "ErpUrl": self.destination.url, "PimUrl": self.destination.url, "AllowPrivateNetwork": "true",
            "WorkerTimeout": VISIBILITY, "QueueVisibility": VISIBILITY, "MaxReceives": RECEIVES, "DeletionProtection": "false",
        }
        run(
            ".ci/sam", "deploy", "--template-file", self.template, "--stack-name", STACK, "--resolve-s3",
            "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND", "--no-confirm-changeset", "--no-progressbar",
            "--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items()),
        )
        stack, = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self._route()
        self._fill_secrets()
        return self

    def __exit__(self, *_):
        run(".ci/sam", "delete", "--stack-name", STACK, "--no-prompts")

    def _route(self):
        """Makes the API's routes from the processed template: the emulator does not read its OpenAPI body."""
        processed = boto3.client("cloudformation").get_template(StackName=STACK, TemplateStage="Processed")["TemplateBody"]
        resources = (json.loads(processed) if isinstance(processed, str) else processed)["Resources"]
        gateway = boto3.client("apigatewayv2")
        self.api = urllib.parse.urlsplit(self.outputs["ApiUrl"]).hostname.split(".")[0]
        names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in boto3.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]}
        self.routes = {}
        for name, resource in resources.items():
            if resource["Type"] != "AWS::ApiGatewayV2::Api":
                continue
            for path, methods in resource["Properties"]["Body"]["paths"].items():
                for method, operation in methods.items():
                    function = _function(operation["x-amazon-apigateway-integration"]["uri"])
                    key = "$default" if path == "/$default" or path == "$default" else f"{'ANY' if 'any' in method else method.upper()} {path}"
                    self.routes[key] = function
                    arn = self.lambdas.get_function(FunctionName=names[function])["Configuration"]["FunctionArn"]
                    made = gateway.create_integration(ApiId=self.api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=arn)
                    gateway.create_route(ApiId=self.api, RouteKey=key, Target=f"integrations/{made['IntegrationId']}")
        check("$default" in self.routes, f"the template has no $default route: {self.routes}")
        self.url = _Gateway(self.api).url

    def _fill_secrets(self):
        """As a user does: by hand what only others can give, and `make secrets`, which keeps it."""
        self.vault.put_secret_value(SecretId=self.outputs["SigningSecretId"], SecretString=json.dumps({"events-api": {"main": [secrets.token_hex(32)]}}))
        run("go", "run", "./functions/pimctl", "secrets", STAGE=STAGE, SIGNING_SECRET_ID=self.outputs["SigningSecretId"],
            CONNECTION_SECRET_ID=self.outputs["ConnectionSecretId"], ERP_URL=self.destination.url, PIM_URL=self.destination.url)
        self.signing = json.loads(self.vault.get_secret_value(SecretId=self.outputs["SigningSecretId"])["SecretString"])
        self.token = secrets.token_hex(16)
        self.vault.put_secret_value(SecretId=self.outputs["ConnectionSecretId"], SecretString=json.dumps({
            "auth": {"erp": {"bearer": self.token}}, "values": {"slack": self.destination.url + "/slack"},
        }))

    def row(self, pk, sk="STATE"):
        """A record of the table, None if there is none."""
        item = self.dynamodb.get_item(TableName=self.outputs["TableName"], Key={"pk": {"S": pk}, "sk": {"S": sk}}, ConsistentRead=True).get("Item")
        return item and json.loads(item["json"]["S"])

    def depth(self, output):
        """How many messages a queue holds, in flight and delayed included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs[output], AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def kill(self, function):
        """Ends the processes of a function, as a crash would. Returns how many there were."""
        killed = 0
        for environment in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                if f"AWS_LAMBDA_FUNCTION_NAME={STACK}-{function}".encode() in environment.read_bytes().split(b"\0") and b"bootstrap" in (environment.parent / "cmdline").read_bytes():
                    os.kill(int(environment.parent.name), signal.SIGKILL)
                    killed += 1
            except OSError:
                pass  # not ours, or gone
        return killed

    def log(self, function):
        """All that a function has logged."""
        logs, group = boto3.client("logs"), f"/aws/lambda/{STACK}-{function}"
        return [event["message"] for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group) for event in page["events"]]


def _function(uri):
    """The logical name of the function that an integration's address names."""
    text = json.dumps(uri)
    name, = {part.split(".Arn")[0] for part in text.replace("${", "\n").split("\n") if ".Arn}" in part}
    return name


class _Gateway(http.server.ThreadingHTTPServer):
    """Brings requests to the API under the name by which the emulator knows it."""

    def __init__(self, api):
        super().__init__(("127.0.0.1", 0), _Bridge)
        self.emulator = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL"])
        self.host = f"{api}.execute-api.localhost:{self.emulator.port}"
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Bridge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(self.server.emulator.hostname, self.server.emulator.port, timeout=60)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
            connection.request(self.command, self.path, body, headers | {"Host": self.server.host})
            answer = connection.getresponse()
            text = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
        finally:
            connection.close()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = handle_any

    def log_message(self, *_):
        pass
