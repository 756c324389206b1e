#!/usr/bin/env node
'use strict';
// A message centre that tests drive, on an SMPP implementation of its own (npm smpp).
//
//   node message-centre.js --port 0 --account wakala:secret [--account other:secret]
//                          [--host 127.0.0.1] [--key key.pem --cert cert.pem [--client-ca ca.pem]] [--first-id 2712797185]
//
// It reads one JSON object a line from standard input:
//   {"deliver":{"from":"+255712000001","to":"15022","text":"BL*1234","id":"m1"}}    or "hex", with esm_class, data_coding,
//                              protocol_id, ton, npi, to_ton, to_npi, service_type, payload:true (in message_payload)
//   {"faults":{"duplicate":0.2,"seed":7}}      changes what is named, see centre/faults.js; reports all settings
//   {"link":"cut"}  {"unbind":true}  {"enquire_link":true}  {"status":true}  {"settle":true}  {"quit":true}
// and reports one JSON object a line on standard output:
//   listening, bind, unbind, close, dropped, link_error, enquire_link, enquire_link_resp, unbind_resp,
//   deliver, deliver_resp, receipt, receipt_resp, unanswered, abandoned, submit, refused, faults, status, settled, error.
//
// A deliver_sm without an answer is sent again after `redeliver_ms`, or on the next bind when its link was lost.
// Where `drop_link_after` cuts, once: `bind` after the answer to a bind; `deliver` after a deliver_sm was written, whose answer
// is lost; `deliver_resp` when its answer comes, which is lost too although the platform has surely acted; `submit_lost` when a
// submit_sm comes, which is forgotten; `submit` when it was accepted but not answered; `submit_resp` after its answer.
// The end of standard input ends the centre.

const fs = require('node:fs');
const readline = require('node:readline');
const { parseArgs } = require('node:util');
const smpp = require('./centre/library.js');
const { Centre } = require('./centre/centre.js');
const { Faults } = require('./centre/faults.js');

/** An id whose hexadecimal form has letters, so that hex and decimal receipts cannot be confused unnoticed. */
const FIRST_ID = '2712797185';

function options() {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      account: { type: 'string', multiple: true, default: ['wakala:secret'] },
      key: { type: 'string' },
      cert: { type: 'string' },
      'client-ca': { type: 'string' },
      'first-id': { type: 'string', default: FIRST_ID },
    },
  });
  const accounts = new Map(values.account.map((account) => {
    const colon = account.indexOf(':');
    if (colon < 1) throw new Error('--account is system_id:password');
    return [account.slice(0, colon), account.slice(colon + 1)];
  }));
  if (!values.key !== !values.cert) throw new Error('--key and --cert go together');
  const tls = values.key && {
    key: fs.readFileSync(values.key),
    cert: fs.readFileSync(values.cert),
    ...(values['client-ca'] && { ca: fs.readFileSync(values['client-ca']), requestCert: true, rejectUnauthorized: true }),
  };
  return { host: values.host, port: Number(values.port), accounts, first_id: Number(values['first-id']), tls: tls || {} };
}

process.stdout.on('error', () => process.exit(0)); // the test that reads the reports is gone
const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

function obey(centre, command) {
  const [name, ...others] = Object.keys(command);
  if (others.length > 0) throw new Error('one command a line');
  switch (name) {
    case 'deliver': return centre.deliver(command.deliver);
    case 'faults':
      centre.faults.set(command.faults);
      return report({ faults: centre.faults.settings });
    case 'link':
      if (command.link !== 'cut') throw new Error('link can only be "cut"');
      return centre.cutAll();
    case 'unbind': return centre.unbindAll();
    case 'enquire_link': return centre.enquireAll();
    case 'status': return report({ status: centre.status() });
    case 'settle': return centre.settle();
    case 'quit': return process.exit(0);
    default: throw new Error(`unknown command: ${name}`);
  }
}

function main() {
  const { host, port, accounts, first_id, tls } = options();
  const centre = new Centre({ accounts, faults: new Faults(), report, first_id });
  let connections = 0;
  const server = smpp.createServer(tls, (session) => centre.connect(session, ++connections));
  server.on('tlsClientError', (error) => report({ link_error: { session: null, error: String(error.code || error.message) } }));
  server.on('error', (error) => {
    report({ error: error.message });
    process.exit(1);
  });
  server.listen(port, host, () => report({ listening: server.address().port }));

  const input = readline.createInterface({ input: process.stdin });
  input.on('line', (line) => {
    if (line.trim() === '') return;
    try {
      obey(centre, JSON.parse(line));
    } catch (error) {
      report({ error: error.message, line });
    }
  });
  input.on('close', () => process.exit(0));
}

main();
