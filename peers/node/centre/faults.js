'use strict';
// What goes wrong, how often, and the same way on every run with the same seed.

const LINK_POINTS = ['bind', 'deliver', 'deliver_resp', 'submit_lost', 'submit', 'submit_resp'];
const RECEIPT_FORMS = ['tlv', 'text', 'both', 'none'];

const DEFAULTS = Object.freeze({
  seed: 1,
  // towards the platform
  duplicate: 0, // share of deliver_sm that are sent twice
  reorder: 0, // share of deliver_sm that are held back until another one has overtaken them
  delay_ms: 0, // each deliver_sm waits a drawn time below this
  hold_ms: 100, // what is held back for a follower that does not come leaves after this time
  redeliver_ms: 30000, // a deliver_sm without an answer is sent again after this time; 0 = only on a new bind
  attempts: 50, // a deliver_sm is given up after so many
  window: 64, // unanswered deliver_sm on one bind
  // from the platform
  throttle: 0, // share of submit_sm answered ESME_RTHROTTLED (58)
  queue_full: 0, // share of submit_sm answered ESME_RMSGQFUL (14)
  response_delay_ms: 0, // each submit_sm_resp waits a drawn time below this
  // the link
  bind_status: 0, // binds are answered with this status
  silent: false, // nothing at all is answered
  drop_link_after: null, // once: one of LINK_POINTS
  // receipts
  receipts: 'both',
  receipt_before_resp: false,
  receipt_twice: false,
  receipt_reorder: false, // receipts leave in pairs, the later first
  id_form: 'hex', // of the message id in receipts; responses carry hexadecimal
  undeliverable: [], // numbers whose messages end UNDELIVERABLE
});

/** Checks a change of settings against the names, kinds and ranges above; throws at the first that is wrong. */
function check(change) {
  for (const [name, value] of Object.entries(change)) {
    if (!(name in DEFAULTS)) throw new Error(`unknown fault: ${name}`);
    const standard = DEFAULTS[name];
    const shares = ['duplicate', 'reorder', 'throttle', 'queue_full'];
    if (shares.includes(name) && !(value >= 0 && value <= 1)) throw new Error(`${name} must be from 0 to 1`);
    if (typeof standard === 'number' && !(Number.isFinite(value) && value >= 0)) throw new Error(`${name} must be a number from 0`);
    if (typeof standard === 'boolean' && typeof value !== 'boolean') throw new Error(`${name} must be true or false`);
  }
  const oneOf = (name, allowed) => {
    if (change[name] != null && !allowed.includes(change[name])) throw new Error(`${name} must be one of ${allowed.join(', ')}`);
  };
  oneOf('drop_link_after', LINK_POINTS);
  oneOf('receipts', RECEIPT_FORMS);
  oneOf('id_form', ['hex', 'decimal']);
  if ('undeliverable' in change && !Array.isArray(change.undeliverable)) throw new Error('undeliverable must be a list');
  if (change.window === 0 || change.attempts === 0) throw new Error('window and attempts must be at least 1');
}

/** mulberry32: a small generator of numbers in [0, 1), the same for the same seed. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

class Faults {
  #streams = new Map();

  constructor() {
    this.settings = { ...DEFAULTS };
  }

  /** Changes the settings named and leaves the others; naming the seed starts every stream of draws anew. */
  set(change) {
    check(change);
    Object.assign(this.settings, change);
    if ('seed' in change) this.#streams.clear();
  }

  /**
   * The next number of one stream. Each kind of decision has a stream of its own, so that the n-th submit_sm meets the same
   * fate however the deliveries beside it were timed.
   */
  draw(stream) {
    if (!this.#streams.has(stream)) {
      let seed = this.settings.seed;
      for (const octet of Buffer.from(stream)) seed = (Math.imul(seed, 31) + octet) >>> 0;
      this.#streams.set(stream, generator(seed));
    }
    return this.#streams.get(stream)();
  }

  /** Whether the fault with this share strikes now. */
  strikes(name) {
    return this.draw(name) < this.settings[name];
  }

  /** Milliseconds below the named setting. */
  delay(name) {
    return Math.floor(this.draw(name) * this.settings[name]);
  }

  /** Whether the link is to be cut at this point. A cut happens once: the setting is cleared. */
  cuts(point) {
    if (this.settings.drop_link_after !== point) return false;
    this.settings.drop_link_after = null;
    return true;
  }
}

module.exports = { Faults };
