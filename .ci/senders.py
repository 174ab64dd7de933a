"""What the PIM and the Event Platform send, signed as they sign it."""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
import uuid


def delta(event_id):
    """An Event Platform event: a price of a product has changed."""
    return json.dumps({
        "specversion": "1.0", "id": event_id, "type": "com.akeneo.pim.v1.product.updated.delta", "source": "pim", "subject": "s",
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "datacontenttype": "application/json",
        "data": {
            "product": {
                "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, event_id)),
                "changes": {"values": {"price": [{"previous": 1, "new": 2, "locale": None, "channel": None}]}},
            },
            "author": {"identifier": "julia", "type": "user"},
        },
    }).encode()


def products(event_ids):
    """A request of the Events API: products were updated."""
    return json.dumps({"events": [{
        "action": "product.updated", "event_id": one, "event_datetime": "2026-01-05T11:45:00+00:00", "author": "julia",
        "author_type": "ui", "pim_source": "https://acme.example.com",
        "data": {"resource": {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, one)), "identifier": "sku"}},
    } for one in event_ids]}).encode()


def event_platform(secret, body):
    """The headers of a delivery."""
    return {"X-AKENEO-SIGNATURE-PRIMARY": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def events_api(secret, body):
    """The headers of a request, signed now."""
    at = str(int(time.time()))
    signature = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Akeneo-Request-Timestamp": at, "X-Akeneo-Request-Signature": signature}


def contentful(secret, path, body):
    """The headers of an App Action's call, signed now. The path has nothing in it that would be encoded."""
    headers = {
        "content-type": "application/json", "x-contentful-timestamp": str(int(time.time() * 1000)), "x-contentful-space-id": "yadj1kx9rmg0",
        "x-contentful-environment-id": "master", "x-contentful-user-id": "0M5q1fYAwHhbCJXW5gsJFe", "x-contentful-signed-headers": "",
    }
    headers["x-contentful-signed-headers"] = ",".join(sorted(headers))
    signed = "POST\n" + path + "\n" + ";".join(f"{name}:{headers[name]}" for name in sorted(headers)) + "\n"
    return headers | {"x-contentful-signature": hmac.new(secret.encode(), signed.encode() + body, hashlib.sha256).hexdigest()}


def token(secret, user, lives=3600):
    """The JWT that the PIM gives a page inside it."""
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")
    now = time.time()
    signed = part({"typ": "JWT", "alg": "HS256"}) + b"." + part({"jti": str(uuid.uuid4()), "iat": now, "exp": now + lives, "userId": "1", "userUuid": user})
    return (signed + b"." + base64.urlsafe_b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).rstrip(b"=")).decode()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def send(url, body=b"", method="POST", headers=None):
    """Sends a request, and returns status and text of the answer."""
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"} | (headers or {}))
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
