'use strict';
// Messages and receipts on their way to the platform: each is sent until it is answered, as real centres do.

/** Waiting deliver_sm at most; past it a delivery is refused with an error, nothing waiting is lost. */
const QUEUE_BOUND = 100000;
/** Answers after which a centre tries again: ESME_RSYSERR, _RMSGQFUL, _RTHROTTLED, _RX_T_APPN. Others are final. */
const TEMPORARY = [0x08, 0x14, 0x58, 0x64];
const RETRY_MS = 1000;

class Deliveries {
  #waiting = [];
  #held = { message: null, receipt: null };
  #unsettled = 0;

  /** `binds()` lists the binds that can receive, `report` takes events, `cut` ends a link, `settled` is called when all is answered. */
  constructor({ faults, binds, report, cut, settled }) {
    Object.assign(this, { faults, binds, report, cut, settled });
  }

  /** How many deliveries, copies included, still wait for their end. */
  get unsettled() {
    return this.#unsettled;
  }

  /**
   * Takes a delivery: `kind` is message or receipt, `id` names it in reports, `fields` are those of its deliver_sm; a receipt
   * tells its `state`. It is sent once and `copies` times more. With `at_once` it is neither delayed nor overtaken.
   */
  add({ kind, id, fields, state, copies = 0, at_once = false }) {
    if (this.#unsettled + copies >= QUEUE_BOUND) throw new Error(`more than ${QUEUE_BOUND} deliveries are waiting`);
    const item = { kind, id, fields, state, attempts: 0, done: false };
    const duplicated = kind === 'message' && this.faults.strikes('duplicate');
    const entries = [{ item, copy: false }];
    for (let copy = 0; copy < copies + (duplicated ? 1 : 0); copy += 1) entries.push({ item, copy: true });
    for (const entry of entries) {
      this.#unsettled += 1;
      const delay = at_once ? 0 : this.faults.delay('delay_ms');
      if (delay > 0) setTimeout(() => this.#release(entry, at_once), delay);
      else this.#release(entry, at_once);
    }
  }

  /** Sends what waits, oldest first, while a bind has room in its window. */
  pump() {
    let taken = 0;
    while (taken < this.#waiting.length) {
      const entry = this.#waiting[taken];
      // An answer to an earlier attempt may have come while this one waited to be sent again.
      if (entry.item.done && entry.item.attempts > 0 && !entry.copy) {
        taken += 1;
        this.#settle();
        continue;
      }
      const bind = this.#leastBusy();
      if (!bind || !this.#send(bind, entry)) break;
      taken += 1;
    }
    this.#waiting.splice(0, taken);
  }

  /** Takes back what a lost link left unanswered, to be sent first on the next bind. Lost copies stay lost. */
  linkLost(bind) {
    const unanswered = [...bind.outstanding];
    bind.outstanding.clear();
    for (const sending of unanswered) clearTimeout(sending.timer);
    const again = unanswered.map((sending) => sending.entry).filter((entry) => !entry.copy);
    for (let lost = again.length; lost < unanswered.length; lost += 1) this.#settle();
    this.#waiting.unshift(...again.filter((entry) => this.#mayTryAgain(entry)));
    setImmediate(() => this.pump());
  }

  #release(entry, atOnce) {
    const { kind } = entry.item;
    const holds = !atOnce && (kind === 'receipt' ? this.faults.settings.receipt_reorder : this.faults.strikes('reorder'));
    if (holds && !this.#held[kind]) {
      const timer = setTimeout(() => this.#overtaken(kind), this.faults.settings.hold_ms);
      this.#held[kind] = { entry, timer };
      return;
    }
    this.#waiting.push(entry);
    this.#overtaken(kind);
  }

  #overtaken(kind) {
    const held = this.#held[kind];
    this.#held[kind] = null;
    if (held) {
      clearTimeout(held.timer);
      this.#waiting.push(held.entry);
    }
    this.pump();
  }

  #leastBusy() {
    const open = this.binds().filter((bind) => bind.outstanding.size < this.faults.settings.window);
    return open.reduce((least, bind) => (!least || bind.outstanding.size < least.outstanding.size ? bind : least), null);
  }

  #send(bind, entry) {
    const { item } = entry;
    const sending = { entry, timer: null };
    const after = this.faults.settings.redeliver_ms;
    if (after > 0) sending.timer = setTimeout(() => this.#unanswered(bind, sending), after);
    bind.outstanding.add(sending);
    const cuts = this.faults.cuts('deliver');
    const written = bind.session.deliver_sm(
      { ...item.fields },
      (response) => this.#answered(bind, sending, response.command_status),
      () => cuts && this.cut(bind, 'deliver'),
    );
    if (!written) {
      clearTimeout(sending.timer);
      bind.outstanding.delete(sending);
      return false;
    }
    if (!entry.copy) item.attempts += 1;
    this.report({ [item.kind === 'receipt' ? 'receipt' : 'deliver']: this.#name(bind, entry) });
    if (cuts) bind.lost = true; // whatever the platform still answers on this link is not heard
    return true;
  }

  #name(bind, { item, copy }) {
    return { id: item.id, attempt: item.attempts, copy, session: bind.number, state: item.state };
  }

  #answered(bind, sending, status) {
    const { entry } = sending;
    if (bind.lost) return;
    if (this.faults.cuts('deliver_resp')) return this.cut(bind, 'deliver_resp');
    clearTimeout(sending.timer);
    const inTime = bind.outstanding.delete(sending);
    const again = TEMPORARY.includes(status);
    const answer = { ...this.#name(bind, entry), status, final: !again };
    this.report({ [entry.item.kind === 'receipt' ? 'receipt_resp' : 'deliver_resp']: answer });
    if (!again) entry.item.done = true;
    // A late answer ends the message; the attempt that waits in its place sees that and is dropped.
    if (inTime && again && !entry.copy) setTimeout(() => this.#again(entry), RETRY_MS);
    else if (inTime) this.#settle();
    this.pump();
  }

  #unanswered(bind, sending) {
    bind.outstanding.delete(sending);
    this.report({ unanswered: this.#name(bind, sending.entry) });
    if (sending.entry.copy) this.#settle();
    else this.#again(sending.entry);
  }

  #again(entry) {
    if (this.#mayTryAgain(entry)) this.#waiting.push(entry);
    this.pump();
  }

  #mayTryAgain({ item }) {
    if (!item.done && item.attempts < this.faults.settings.attempts) return true;
    if (!item.done) this.report({ abandoned: { id: item.id, attempts: item.attempts } });
    this.#settle();
    return false;
  }

  #settle() {
    this.#unsettled -= 1;
    this.settled();
  }
}

module.exports = { Deliveries };
