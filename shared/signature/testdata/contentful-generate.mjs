// Makes contentful-requests.jsonl: requests whose signatures Contentful's own toolkit computed, one a line. It is
// repeatable: the same file each time.
//
//	npm install @contentful/node-apps-toolkit@3.16.1
//	node contentful-generate.mjs > contentful-requests.jsonl
import { signRequest } from '@contentful/node-apps-toolkit';

// next is a random number below n (mulberry32, with a fixed seed).
let seed = 20260105;
function next(n) {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (values) => values[next(values.length)];
const many = (most, make) => Array.from({ length: next(most + 1) }, make);

const methods = ['GET', 'PATCH', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT'];
const segments = ['contentful', 'notify', 'a b', 'a%20b', 'ä', '日本', '%2F', '..', '', "it's", '(x)', 'a:b@c', 'x;y=1,2', '~-_.!*', '#', '[1]', '{}', '"', '\\', '^`|', '%', '𝒳'];
const words = ['a', '1', 'ä ö', 'x=y', '&', '%', '%25', '+', '/', '?', '', "'", '(', '日', '𝒳', 'a[b]', '#', ';', '~'];
const values = ['application/json', ' trimmed ', 'ünï cödé', 'a;b:c', 'x,y', '', '日本', '\u00a0nbsp\u00a0', '\ttab\t', '😀'];
const bodies = ['', '{}', '{"entryIds":"a,b"}', '{"message":"Héllo 😀","recipient":"x"}', '\n', '[1, 2]\n', 'text/plain', '\u2028', '{"a":"\\u00e9"}'];
const secret = () => Array.from({ length: 64 }, () => pick([...'0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/=_-'])).join('');

for (let i = 0; i < 600; i++) {
  const path = '/' + many(4, () => pick(segments)).join('/') + pick(['', '', '?' + many(3, () => pick(words) + '=' + pick(words)).join('&')]);
  const headers = {};
  for (const name of many(4, () => pick(['content-type', 'x-contentful-topic', 'X-Contentful-Webhook-Name', 'accept', 'x-custom-1', 'x-contentful-crn']))) {
    headers[name] = pick(values);
  }
  const context = pick([undefined, { spaceId: 'yadj1kx9rmg0', envId: 'master', userId: '0M5q1fYAwHhbCJXW5gsJFe' }, { spaceId: 's', envId: 'e', appId: 'a' }]);
  const request = { method: pick(methods), path, headers, body: pick(bodies) };
  const timestamp = 1577836800001 + next(1e9) * 1000;
  const own = secret();
  const signed = context ? signRequest(own, request, timestamp, context) : signRequest(own, request, timestamp);
  const sent = Object.fromEntries(Object.entries({ ...headers, ...signed }).map(([name, value]) => [name.toLowerCase(), String(value)]));
  console.log(JSON.stringify({ secret: own, method: request.method, path, headers: sent, body: request.body }));
}
