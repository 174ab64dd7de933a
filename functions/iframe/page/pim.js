// The PIM's page around ours: who speaks with it, and the token that it gives.
class Pim {
  #origin;
  #token = ''; // in memory alone
  #renewAt = 0;
  #asking = null;
  #received = () => {};

  constructor(origin, onContext) {
    this.#origin = origin;
    addEventListener('message', (event) => {
      if (event.source !== parent || event.origin !== origin) return;
      const message = event.data;
      if (message === null || typeof message !== 'object') return;
      if (message.type === 'JWT_TOKEN') {
        if (typeof message.token === 'string') this.#received(message.token);
      } else if ('data' in message || 'context' in message || 'filters' in message) {
        onContext(message); // these have no type
      }
    });
  }

  // ask sends one of request_context, request_jwt and reload_parent.
  ask(type) {
    parent.postMessage({ type }, this.#origin);
  }

  // token is the one at hand, and asks the PIM for one when there is none: that fails with 'silent'. Nobody waits for the
  // next one while this one may hold.
  async token() {
    if (!this.#token) return this.renew();
    this.#keep();
    return this.#token;
  }

  // renew asks for a token. The PIM's page may not listen yet: it is asked more than once.
  renew() {
    this.#asking ??= new Promise((resolve, reject) => {
      const timers = [0, 1000, 3000, 6000].map((after) => setTimeout(() => this.ask('request_jwt'), after));
      timers.push(setTimeout(() => reject(new Problem('silent')), 10000));
      this.#received = (token) => {
        this.#token = token;
        this.#renewAt = renewal(token);
        resolve(token);
      };
      this.#forget = () => timers.forEach(clearTimeout);
    }).finally(() => {
      this.#forget();
      this.#received = () => {};
      this.#asking = null;
    });
    return this.#asking;
  }
  #forget = () => {};

  // keep renews the token before it ends, also when nothing is asked of the server.
  keep() {
    setInterval(() => this.#keep(), 5000);
  }

  #keep() {
    if (this.#token && Date.now() >= this.#renewAt) this.renew().catch(() => { /* a call that is refused will tell */ });
  }
}

// renewal is when to ask for the token that follows: five minutes before the end, or a fifth of a short life. Life is
// counted from now, so that a clock that is wrong does no harm; never at once, or a token that has ended would be
// asked for without pause.
function renewal(token) {
  let life = 60;
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    life = claims.exp - (claims.iat ?? Date.now() / 1000);
  } catch { /* the server will refuse it */ }
  if (!(life > 0)) life = 60;
  return Date.now() + Math.max(life - Math.min(300, life / 5), 10) * 1000;
}

// Problem is what the page can say: silent, refused, uuidless, network, offered, large, missing, trouble.
class Problem extends Error {}
