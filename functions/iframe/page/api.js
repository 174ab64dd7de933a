// Our own server, under the page's address, with the token on every call.
class Api {
  #pim;
  #language;
  #base = location.pathname.replace(/\/+$/, '');

  constructor(pim, language) {
    this.#pim = pim;
    this.#language = `language=${encodeURIComponent(language)}`;
  }

  get(path) {
    return this.#call('GET', path);
  }

  // post sends a body; what it asks for may be sent again, because its request names it.
  post(path, body) {
    return this.#call('POST', path, body);
  }

  async #call(method, path, body) {
    let response = await this.#send(method, path, body, await this.#pim.token());
    if (response.status === 401) response = await this.#send(method, path, body, await this.#pim.renew());
    if (response.ok) return response.json();
    const problems = { 401: 'refused', 403: 'offered', 404: 'missing', 409: path.endsWith('/undo') ? 'standing' : 'past', 413: 'large' };
    throw new Problem(problems[response.status] ?? 'trouble');
  }

  async #send(method, path, body, token) {
    try {
      return await fetch(this.#base + path + (path.includes('?') ? '&' : '?') + this.#language, {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
        body: body && JSON.stringify(body),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal: AbortSignal.timeout(20000),
      });
    } catch {
      throw new Problem('network');
    }
  }
}
