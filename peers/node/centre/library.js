'use strict';
// The peers' npm packages are installed outside the source tree (`cargo xtask test` puts them into .peers/node), so they are
// resolved from there rather than from this folder.

const { createRequire } = require('node:module');
const path = require('node:path');

const peers = process.env.WAKALA_PEERS || path.resolve(__dirname, '../../../.peers');
const smpp = createRequire(path.join(peers, 'node', 'package.json'))('smpp');

// The library decodes bodies by data_coding and relative times into dates, which loses the octets that were on the wire.
// Without its filters every body is the Buffer, and every time the string, that the peer sent.
for (const command of ['submit_sm', 'deliver_sm']) {
  for (const field of ['short_message', 'validity_period', 'schedule_delivery_time']) {
    delete smpp.commands[command].params[field].filter;
  }
}
delete smpp.tlvs.message_payload.filter;

module.exports = smpp;
