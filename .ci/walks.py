"""Walks through a deployment, as its senders go: walks.py TEMPLATE PROCESSOR.

Started by .ci/verify, with AWS_ENDPOINT_URL set to an emulator.
"""

import json
import re
import sys
import time
import uuid

from deployment import Deployment, Failed, RECEIVES, VISIBILITY, check, run, until
from destination import Destination
from senders import contentful, delta, event_platform, events_api, products, send, token

SAMPLE = "action-product-grid"


def press(stack, extension="export_to_erp"):
    """Presses a button with the project's own sending tool; returns the job's ID."""
    secret = stack.signing["extensions"][extension]["secrets"][0]
    said = run("go", "run", "./functions/pimctl", "send", SAMPLE, stack.url, "--extension", extension, "--secret", secret, "--fresh")
    found = re.search(r"Job ID: ([A-Za-z0-9_-]+)", said)
    check(found, f"a press was answered without a job ID: {said}")
    return found[1]


def ended(stack, job, state="succeeded"):
    def now():
        record = stack.row(f"JOB#{job}")
        check(record, f"job {job} has no record")
        check(record["state"] not in ("failed", "partial", "cancelled") or record["state"] == state, f"job {record}")
        return record if record["state"] == state else None
    return until(f"job {job} is {state}", now)


def walk_action(stack):
    job = press(stack)
    record = ended(stack, job)
    check(record["done"] == record["total"] > 0, f"job {record}")
    got = {key: body for key, body in stack.destination.at("/products").items() if key.startswith(job + "/")}
    check([item for body in got.values() for item in body["items"]] and sum(len(body["items"]) for body in got.values()) == record["total"], f"the destination got {got}")
    headers = next(headers for path, headers, body in stack.destination.received if path == "/products")
    check(headers["Authorization"] == f"Bearer {stack.token}", "the destination got no token")
    return f"job {record['state']} with {record['done']} of {record['total']} items, each delivered once"


def walk_refusals(stack):
    body = json.dumps({"data": {}, "context": {}, "user": {}, "timestamp": int(time.time())}).encode()
    for path, method, status in (
        ("/actions/export_to_erp", "POST", 401), ("/actions/nobody", "POST", 404), ("/actions/export_to_erp", "PUT", 405),
        ("/events-api/main", "POST", 401), ("/events-api/main", "PUT", 405), ("/event-platform/main", "POST", 401),
        ("/event-platform/main", "GET", 401), ("/event-platfrom/main", "POST", 401), ("/", "GET", 401), ("/nothing/at/all", "DELETE", 401),
    ):
        got, text = send(stack.url + path, body, method)
        check(got == status and json.loads(text)["success"] is False, f"{method} {path}: {got} {text}, want {status}")
    return "each answered as documented, no event path with 404 or a redirect"


def send_platform(stack, event):
    headers = event_platform(stack.signing["event-platform"]["main"][0], event)
    status, text = send(stack.url + "/event-platform/main", event, headers=headers)
    check(status == 200, f"an event was answered {status} {text}")


def outcome(stack, api, event_id):
    record = stack.row(f"EVENT#{api}/main#{event_id}")
    return record and record.get("outcome")


def walk_event_platform(stack):
    ids = [str(uuid.uuid4()) for _ in range(10)]
    for event_id in ids + ids:  # each delivered twice
        send_platform(stack, delta(event_id))
    until("ten events are applied", lambda: all(outcome(stack, "event-platform", one) == "applied" for one in ids))
    until("the events queue is empty", lambda: stack.depth("EventsQueueUrl") == 0)
    keys = [f"event-platform/main/{one}/catalogue" for one in ids]
    got = [headers["Idempotency-Key"] for path, headers, _ in stack.destination.received if headers.get("Idempotency-Key") in keys]
    check(sorted(got) == sorted(keys), f"the destination got {len(got)} calls for ten events")
    return "ten events, each delivered twice, had ten effects"


def walk_events_api(stack):
    ids = [str(uuid.uuid4()) for _ in range(10)]
    body = products(ids)
    for _ in range(2):
        status, text = send(stack.url + "/events-api/main", body, headers=events_api(stack.signing["events-api"]["main"][0], body))
        check(status == 200, f"ten events were answered {status} {text}")
    until("ten events have their outcome", lambda: all(outcome(stack, "events-api", one) for one in ids))
    outcomes = {outcome(stack, "events-api", one) for one in ids}
    check(len(outcomes) == 1, f"outcomes {outcomes}")
    until("the events queue is empty", lambda: stack.depth("EventsQueueUrl") == 0)
    return f"ten events in one request, sent twice, had one outcome each ({outcomes.pop()})"


def walk_iframe(stack):
    """The page, the user whom its token proves, a job that it starts, and nobody else's business."""
    status, text = send(stack.url + "/iframe/jobs_panel?position=pim.product.tab", method="GET")
    check(status == 200 and "<!doctype html>" in text, f"the page: {status} {text[:200]}")
    secret, user, product = stack.signing["extensions"]["jobs_panel"]["secrets"][0], str(uuid.uuid4()), str(uuid.uuid4())
    bearer = {"Authorization": "Bearer " + token(secret, user)}
    status, text = send(stack.url + "/iframe/jobs_panel/verify", headers=bearer)
    check(status == 200 and json.loads(text)["userUuid"] == user, f"verify: {status} {text}")
    wish = {"request": str(uuid.uuid4()), "action": "send-to-erp", "data": {"productUuids": [product], "productModelCodes": [], "categoryCodes": []},
            "context": {"locale": "en_US", "channel": "ecommerce"}, "language": "en_US"}
    for _ in range(2):  # the answer to the first may have been lost
        status, text = send(stack.url + "/iframe/jobs_panel/jobs", json.dumps(wish).encode(), headers=bearer)
        check(status == 200, f"a start: {status} {text}")
    job = json.loads(text)["job"]["id"]
    ended(stack, job)

    def listed():
        status, text = send(stack.url + "/iframe/jobs_panel/jobs", method="GET", headers=bearer)
        check(status == 200, f"the list: {status} {text}")
        return [one["state"] for one in json.loads(text)["jobs"] if one["id"] == job] == ["succeeded"]
    until("the list shows the job's end", listed)
    other = {"Authorization": "Bearer " + token(secret, str(uuid.uuid4()))}
    status, text = send(stack.url + f"/iframe/jobs_panel/jobs/{job}", method="GET", headers=other)
    check(status == 404, f"somebody else's job: {status} {text}")
    forged = {"Authorization": "Bearer " + token("x" * 64, user)}
    status, text = send(stack.url + "/iframe/jobs_panel/verify", headers=forged)
    check(status == 401, f"a forged token: {status} {text}")
    return "the page, its user, a start sent twice that is one job, somebody else's 404, a forged token 401"


def walk_data(stack):
    """What we did with a product, for whoever has the credential."""
    product = str(uuid.uuid4())
    event = json.loads(delta(str(uuid.uuid4())))
    event["data"]["product"]["uuid"] = product
    send_platform(stack, json.dumps(event).encode())
    until("the event is applied", lambda: outcome(stack, "event-platform", event["id"]) == "applied")
    bearer = {"Authorization": "Bearer " + stack.signing["extensions"]["product_history"]["credential"]["token"]}

    def known():
        status, text = send(stack.url + f"/data/product_history/{product}", method="GET", headers=bearer)
        check(status == 200, f"data: {status} {text}")
        return [one["outcome"] for one in json.loads(text)["events"]] == ["applied"]
    until("the data component knows the event", known)
    status, text = send(stack.url + f"/data/product_history/{product}", method="GET")
    check(status == 401, f"without the credential: {status} {text}")
    return "the event of a product is shown, to the credential alone"


def walk_contentful(stack):
    """An App Action becomes a job; the same call delivered twice is one; another path's signature proves nothing."""
    secret, path = stack.signing["contentful"][0], "/contentful/export_entries"
    body = json.dumps({"entryIds": "5KsDBWseXY6QegucYAoacS,2uNOpLMJioKeoMq8W44uYc"}).encode()
    headers, jobs = contentful(secret, path, body), []
    for _ in range(2):
        status, text = send(stack.url + path, body, headers=headers)
        check(status == 202, f"an App Action: {status} {text}")
        jobs.append(json.loads(text)["job"])
    check(jobs[0] == jobs[1], f"one call delivered twice is two jobs: {jobs}")
    record = ended(stack, jobs[0])
    check(record["done"] == 2, f"job {record}")
    status, text = send(stack.url + path, body, headers=contentful(secret, "/contentful/notify", body))
    check(status == 403, f"signed for another path: {status} {text}")
    return "202, a job of two entries, delivered twice and done once; a signature for another path 403"


def walk_poison(stack):
    before = {queue: stack.depth(queue) for queue in ("JobsDeadLettersUrl", "EventsDeadLettersUrl")}
    for queue in ("JobsQueueUrl", "EventsQueueUrl"):
        stack.sqs.send_message(QueueUrl=stack.outputs[queue], MessageBody="not a message of ours")
    job, event_id = press(stack), str(uuid.uuid4())
    send_platform(stack, delta(event_id))
    ended(stack, job)
    until("the good event is applied", lambda: outcome(stack, "event-platform", event_id) == "applied")
    for queue, depth in before.items():
        until(f"{queue} holds the poison", lambda: stack.depth(queue) == depth + 1, seconds=(RECEIVES + 2) * VISIBILITY + 60)
    return f"a message that is none of ours is a dead letter after {RECEIVES} receives; its neighbours were done"


def walk_killed_worker(stack):
    killed = []

    def kill(_):
        if not killed:
            killed.append(stack.kill("worker"))
    stack.destination.before = kill
    try:
        job = press(stack)
        record = ended(stack, job)
    finally:
        stack.destination.before = lambda number: None
    check(killed and killed[0] > 0, "no worker was killed: the emulator runs it in another way")
    check(record["done"] == record["total"], f"job {record}")
    check(not stack.destination.contradictions, f"keys with two contents: {stack.destination.contradictions}")
    return "a worker killed in the middle of a job: another finished it, under the same Idempotency-Key"


WALKS = [walk_action, walk_refusals, walk_event_platform, walk_events_api, walk_iframe, walk_data, walk_contentful, walk_poison, walk_killed_worker]


FUNCTIONS = ("action", "iframe", "data", "contentful", "eventsapi", "eventplatform", "worker")


def durations(stack):
    """How long the functions took, as Lambda would bill it: each time from the start of the program on."""
    for function in FUNCTIONS:
        took = sorted(float(found[1]) for line in stack.log(function) if (found := re.search(r"Billed Duration: ([0-9.]+) ms", line)))
        if took:
            print(f"{function}: {len(took)} invocations, median {took[len(took) // 2]:.0f} ms, slowest {took[-1]:.0f} ms, start included")


def main(template, architecture):
    destination = Destination()
    with Deployment(template, architecture, destination) as stack:
        print(f"deployed: {len(stack.routes)} routes")
        for walk in WALKS:
            try:
                print(f"{walk.__name__.removeprefix('walk_').replace('_', ' ')}: {walk(stack)}", flush=True)
            except Exception:
                for function in FUNCTIONS:
                    print(f"-- log of {function}", *stack.log(function)[-20:], sep="\n", file=sys.stderr)
                raise
        durations(stack)
    print(f"deployment: {len(WALKS)} walks passed.")


try:
    main(*sys.argv[1:])
except Failed as problem:
    sys.exit(f"make verify: {problem}")
