// What the page knows of the product, selection, locale and channel around it: from its own address, and from what the
// PIM's page says later. All of it is shown, and trusted for nothing.
class Surroundings {
  #told = {}; // what messages told, for the list of context

  constructor(search) {
    this.query = new URLSearchParams(search);
    this.locale = this.#asked('user[catalog_locale]');
    this.channel = this.#asked('user[catalog_scope]');
    this.productUuids = list(this.#asked('product[uuid]'));
    this.productModelCodes = list(this.#asked('product[code]'));
    this.categoryCodes = list(this.#asked('category[code]'));
  }

  #asked(name) {
    return this.query.get(name) ?? '';
  }

  get language() {
    return this.#asked('user[ui_locale]');
  }

  // hear takes a message of the PIM's page; what it does not say stays.
  hear({ data, context, user, filters, itemsCount }) {
    this.locale = text(context?.locale) || this.locale;
    this.channel = text(context?.channel ?? context?.scope) || this.channel;
    if (data !== null && typeof data === 'object') {
      this.productUuids = strings(data.productUuids);
      this.productModelCodes = strings(data.productModelCodes);
      this.categoryCodes = [];
    }
    // Groups are objects since 2026, names before.
    if (Array.isArray(user?.groups)) this.#told.groups = user.groups.map((group) => text(group?.name ?? group)).filter(Boolean).join(', ');
    if (filters !== null && typeof filters === 'object') {
      this.#told.filters = [filters.productFilters, filters.productModelFilters].map(described).filter(Boolean).join(' ');
    }
    if (Number.isInteger(itemsCount)) this.#told.count = String(itemsCount);
  }

  get count() {
    return this.productUuids.length + this.productModelCodes.length + this.categoryCodes.length;
  }

  get data() {
    return { productUuids: this.productUuids, productModelCodes: this.productModelCodes, categoryCodes: this.categoryCodes };
  }

  // entries are the names and values to show.
  get entries() {
    const now = { locale: this.locale, channel: this.channel, ...this.#told };
    return [...Object.entries(now), ...this.query].filter(([, value]) => value);
  }
}

const list = (value) => (value ? [value] : []);
const text = (value) => (typeof value === 'string' ? value : '');
const strings = (value) => (Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each) : []);

// described is a filter in one line. The PIM sends an object or its JSON, and [] for none.
function described(filter) {
  let value = filter;
  if (typeof filter === 'string') {
    try {
      value = JSON.parse(filter);
    } catch {
      return filter.slice(0, 300);
    }
  }
  if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) return '';
  return JSON.stringify(value).slice(0, 300);
}
