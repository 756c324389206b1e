'use strict';
// A message centre: binds, submit_sm in, deliver_sm and receipts out (SMPP 3.4).

const smpp = require('./library.js');
const text = require('./text.js');
const { Deliveries } = require('./deliveries.js');

const STATUS = { wrongBindState: 0x04, alreadyBound: 0x05, unknownCommand: 0x03, password: 0x0e, systemId: 0x0f, queueFull: 0x14, throttled: 0x58 };
const STATE = { DELIVRD: 2, UNDELIV: 5 };
const RECEIPT = 0x04; // esm_class of a delivery receipt
/** Accepted messages remembered to recognise repeats; past it the oldest is forgotten. */
const REMEMBERED = 200000;
/** A peer that does not close its side of an ended link loses it after this time. */
const LINGER_MS = 200;

class Centre {
  #accounts;
  #binds = new Set(); // every open connection, bound or not
  #accepted = new Map();
  #nextId;
  #responding = 0;
  #awaitsSettled = false;
  #counts = { binds: 0, submits: 0, refused: 0, enquire_links: 0 };

  /** `accounts` maps system ids to passwords; `report` takes one event at a time. */
  constructor({ accounts, faults, report, first_id }) {
    this.#accounts = accounts;
    this.#nextId = first_id;
    this.faults = faults;
    this.report = report;
    this.deliveries = new Deliveries({
      faults,
      report,
      binds: () => [...this.#binds].filter((bind) => bind.receives && !bind.lost),
      cut: (bind, after) => this.#cut(bind, after),
      settled: () => this.#checkSettled(),
    });
  }

  /** Serves one connection. */
  connect(session, number) {
    const bind = { session, number, system_id: null, receives: false, transmits: false, lost: false, outstanding: new Set(), enquire_links: 0 };
    this.#binds.add(bind);
    session.on('error', (error) => {
      this.report({ link_error: { session: number, error: String(error.code || error.message) } });
      session.destroy();
    });
    session.on('close', () => {
      this.#binds.delete(bind);
      bind.lost = true;
      this.report({ close: { session: number } });
      this.deliveries.linkLost(bind);
    });
    session.on('pdu', (pdu) => {
      if (!bind.lost && !this.faults.settings.silent) this.#request(bind, pdu);
    });
  }

  /** Sends a message to the platform: {from, to, text | hex, id, esm_class, data_coding, ...}. */
  deliver({ from, to, text: words, hex, id, data_coding, esm_class = 0, protocol_id = 0, payload = false, ...rest }) {
    const { ton = Centre.#ton(from), npi = 1, to_ton = Centre.#ton(to), to_npi = 1, service_type = '', ...unknown } = rest;
    if (Object.keys(unknown).length > 0) throw new Error(`unknown field of deliver: ${Object.keys(unknown)[0]}`);
    if (typeof from !== 'string' || typeof to !== 'string' || id === undefined) throw new Error('deliver needs from, to and id');
    if ((words === undefined) === (hex === undefined)) throw new Error('deliver needs either text or hex');
    const encoded = hex === undefined
      ? text.encode(words, data_coding)
      : { octets: Centre.#octets(hex), dataCoding: data_coding ?? text.DATA_CODING.binary };
    const inPayload = payload || encoded.octets.length > 254;
    this.deliveries.add({
      kind: 'message',
      id,
      fields: {
        service_type, esm_class, protocol_id,
        source_addr_ton: ton, source_addr_npi: npi, source_addr: from.replace(/^\+/, ''),
        dest_addr_ton: to_ton, dest_addr_npi: to_npi, destination_addr: to.replace(/^\+/, ''),
        data_coding: encoded.dataCoding,
        short_message: inPayload ? Buffer.alloc(0) : encoded.octets,
        ...(inPayload && { message_payload: encoded.octets }),
      },
    });
  }

  /** Cuts every link at once, without unbind. */
  cutAll() {
    for (const bind of this.#binds) this.#cut(bind, 'command', true);
  }

  /** Asks every bound peer to end its bind, as a centre does before it is maintained. */
  unbindAll() {
    for (const bind of this.#bound()) {
      bind.session.unbind(() => {
        this.report({ unbind_resp: { session: bind.number } });
        Centre.#end(bind.session);
      });
    }
  }

  /** Asks every bound peer whether it is alive. */
  enquireAll() {
    for (const bind of this.#bound()) bind.session.enquire_link(() => this.report({ enquire_link_resp: { session: bind.number } }));
  }

  /** Reports {"settled": true} as soon as every delivery and every response has found its end. */
  settle() {
    this.#awaitsSettled = true;
    this.#checkSettled();
  }

  status() {
    return { ...this.#counts, links: this.#binds.size, bound: this.#bound().length, unsettled: this.deliveries.unsettled };
  }

  #bound() {
    return [...this.#binds].filter((bind) => bind.system_id !== null && !bind.lost);
  }

  #request(bind, pdu) {
    switch (pdu.command) {
      case 'bind_receiver':
      case 'bind_transmitter':
      case 'bind_transceiver': return this.#bind(bind, pdu);
      case 'submit_sm': return this.#submit(bind, pdu);
      case 'enquire_link': return this.#enquired(bind, pdu);
      case 'unbind': return this.#unbind(bind, pdu);
      default:
        if (!pdu.isResponse()) bind.session.send(pdu.response({ command_status: STATUS.unknownCommand }));
    }
  }

  #bind(bind, pdu) {
    const type = pdu.command.slice('bind_'.length);
    const status = this.#bindStatus(bind, pdu);
    this.report({ bind: { session: bind.number, system_id: pdu.system_id, type, interface_version: pdu.interface_version, status } });
    if (status !== 0) {
      bind.session.send(pdu.response({ command_status: status }), () => Centre.#end(bind.session));
      return;
    }
    const cuts = this.faults.cuts('bind');
    bind.session.send(pdu.response({ system_id: 'centre', sc_interface_version: 0x34 }), () => cuts && this.#cut(bind, 'bind'));
    if (cuts) {
      bind.lost = true;
      return;
    }
    this.#counts.binds += 1;
    bind.system_id = pdu.system_id;
    bind.receives = type !== 'transmitter';
    bind.transmits = type !== 'receiver';
    this.deliveries.pump();
  }

  #bindStatus(bind, { system_id, password }) {
    if (this.faults.settings.bind_status !== 0) return this.faults.settings.bind_status;
    if (bind.system_id !== null) return STATUS.alreadyBound;
    if (!this.#accounts.has(system_id)) return STATUS.systemId;
    return this.#accounts.get(system_id) === password ? 0 : STATUS.password;
  }

  #enquired(bind, pdu) {
    bind.enquire_links += 1;
    this.#counts.enquire_links += 1;
    bind.session.send(pdu.response());
    this.report({ enquire_link: { session: bind.number, count: bind.enquire_links } });
  }

  #unbind(bind, pdu) {
    this.report({ unbind: { session: bind.number } });
    bind.receives = false;
    bind.session.send(pdu.response(), () => Centre.#end(bind.session));
  }

  #submit(bind, pdu) {
    if (!bind.transmits) return bind.session.send(pdu.response({ command_status: STATUS.wrongBindState }));
    if (this.faults.cuts('submit_lost')) return this.#cut(bind, 'submit_lost');
    const message = { ...Centre.#describe(pdu), session: bind.number };
    const refusal = this.#refusal();
    if (refusal !== 0) {
      this.#counts.refused += 1;
      this.report({ refused: { status: refusal, ...message } });
      return bind.session.send(pdu.response({ command_status: refusal }));
    }
    const id = this.#accept(message);
    const receipt = this.#receipt(id, pdu, message);
    const early = receipt && this.faults.settings.receipt_before_resp;
    if (early) this.deliveries.add({ ...receipt, at_once: true });
    const late = () => receipt && !early && this.deliveries.add(receipt);
    if (this.faults.cuts('submit')) {
      this.#cut(bind, 'submit');
      return late();
    }
    this.#respond(bind, pdu, id, late);
  }

  #refusal() {
    const [throttled, full] = [this.faults.strikes('throttle'), this.faults.strikes('queue_full')];
    if (throttled) return STATUS.throttled;
    return full ? STATUS.queueFull : 0;
  }

  #accept(message) {
    const id = (this.#nextId++).toString(16);
    const identity = [message.from, message.to, message.hex, message.esm_class].join(' ');
    const first = this.#accepted.get(identity);
    if (first === undefined) this.#accepted.set(identity, id);
    if (this.#accepted.size > REMEMBERED) this.#accepted.delete(this.#accepted.keys().next().value);
    this.#counts.submits += 1;
    this.report({ submit: { id, ...message, ...(first !== undefined && { repeat_of: first }) } });
    return id;
  }

  #respond(bind, pdu, id, then) {
    this.#responding += 1;
    const send = () => {
      this.#responding -= 1;
      const cuts = !bind.lost && this.faults.cuts('submit_resp');
      // The library gives a lost socket no callback, so what follows does not hang on it.
      if (!bind.lost) bind.session.send(pdu.response({ message_id: id }), () => cuts && this.#cut(bind, 'submit_resp'));
      if (cuts) bind.lost = true;
      then();
      this.#checkSettled();
    };
    const delay = this.faults.delay('response_delay_ms');
    if (delay > 0) setTimeout(send, delay);
    else send();
  }

  #receipt(id, pdu, message) {
    const { receipts, receipt_twice, id_form, undeliverable } = this.faults.settings;
    const wanted = pdu.registered_delivery & 0x03; // SMPP 3.4 §5.2.17: 1 always, 2 on failure only
    const state = undeliverable.some((number) => number.replace(/^\+/, '') === message.to) ? 'UNDELIV' : 'DELIVRD';
    if (receipts === 'none' || wanted === 0 || (wanted === 2 && state === 'DELIVRD')) return null;
    const named = id_form === 'decimal' ? String(parseInt(id, 16)) : id;
    const tlv = receipts !== 'text' && { receipted_message_id: named, message_state: STATE[state] };
    const words = receipts === 'tlv' ? '' : Centre.#receiptText(named, state, message);
    return {
      kind: 'receipt',
      id,
      state,
      copies: receipt_twice ? 1 : 0,
      fields: {
        esm_class: RECEIPT,
        source_addr_ton: pdu.dest_addr_ton, source_addr_npi: pdu.dest_addr_npi, source_addr: pdu.destination_addr,
        dest_addr_ton: pdu.source_addr_ton, dest_addr_npi: pdu.source_addr_npi, destination_addr: pdu.source_addr,
        data_coding: 0,
        short_message: Buffer.from(words, 'latin1'),
        ...tlv,
      },
    };
  }

  #cut(bind, after, atOnce = false) {
    bind.lost = true;
    this.report({ dropped: { session: bind.number, after } });
    if (atOnce || after === 'submit' || after === 'submit_lost' || after === 'deliver_resp') return bind.session.destroy();
    Centre.#end(bind.session);
  }

  #checkSettled() {
    if (!this.#awaitsSettled || this.#responding > 0 || this.deliveries.unsettled > 0) return;
    this.#awaitsSettled = false;
    this.report({ settled: true });
  }

  /** Ends a link without reset, so that what was written still arrives. */
  static #end(session) {
    session.close();
    setTimeout(() => session.destroy(), LINGER_MS);
  }

  /** What a submit_sm holds, as reports show it. `hex` is the whole user data, `body` without its header. */
  static #describe(pdu) {
    const inPayload = pdu.short_message.length === 0 && pdu.message_payload !== undefined;
    const octets = inPayload ? pdu.message_payload : pdu.short_message;
    const { udh, body } = text.split(octets, pdu.esm_class);
    const sar = pdu.sar_total_segments && { reference: pdu.sar_msg_ref_num, total: pdu.sar_total_segments, number: pdu.sar_segment_seqnum };
    return {
      from: pdu.source_addr,
      to: pdu.destination_addr,
      text: text.decode(body, pdu.data_coding),
      hex: octets.toString('hex'),
      body: body.toString('hex'),
      udh: udh && udh.toString('hex'),
      part: text.part(udh) || sar || null,
      esm_class: pdu.esm_class,
      data_coding: pdu.data_coding,
      protocol_id: pdu.protocol_id,
      validity: pdu.validity_period,
      priority: pdu.priority_flag,
      registered_delivery: pdu.registered_delivery,
      source_ton: pdu.source_addr_ton,
      source_npi: pdu.source_addr_npi,
      dest_ton: pdu.dest_addr_ton,
      dest_npi: pdu.dest_addr_npi,
      payload: inPayload,
    };
  }

  /** The receipt text of SMPP 3.4 appendix B. */
  static #receiptText(id, state, message) {
    const now = new Date().toISOString().replace(/\D/g, '').slice(2, 12);
    const delivered = state === 'DELIVRD';
    const words = (message.text || '').replace(/[^\x20-\x7e]/g, '?').slice(0, 20);
    return `id:${id} sub:001 dlvrd:${delivered ? '001' : '000'} submit date:${now} done date:${now} `
      + `stat:${state} err:${delivered ? '000' : '001'} text:${words}`;
  }

  static #ton(address) {
    if (/^\+?\d{7,}$/.test(address)) return 1; // international
    return /^\d+$/.test(address) ? 3 : 5; // network specific for short codes, else alphanumeric
  }

  static #octets(hex) {
    if (!/^([0-9a-f]{2})*$/i.test(hex)) throw new Error('hex must be whole octets in hexadecimal');
    return Buffer.from(hex, 'hex');
  }
}

module.exports = { Centre };
