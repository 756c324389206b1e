'use strict';
// Bodies of short messages: user data headers (3GPP TS 23.040 §9.2.3.24) and the alphabets that data_coding names.

const smpp = require('./library.js');

const UDH_INDICATOR = 0x40;
const DATA_CODING = { gsm7: 0x00, ia5: 0x01, latin1: 0x03, binary: 0x04, ucs2: 0x08 };

/** Splits the octets of a message into its user data header (null when it has none) and its body. */
function split(octets, esmClass) {
  const hasHeader = (esmClass & UDH_INDICATOR) !== 0 && octets.length > 0 && octets[0] < octets.length;
  if (!hasHeader) return { udh: null, body: octets };
  return { udh: octets.subarray(0, octets[0] + 1), body: octets.subarray(octets[0] + 1) };
}

/** The concatenation element of a header, 8-bit (00) or 16-bit (08) reference, or null. */
function part(udh) {
  for (let at = 1; udh && at + 1 < udh.length; at += 2 + udh[at + 1]) {
    const [element, length] = [udh[at], udh[at + 1]];
    const value = udh.subarray(at + 2, at + 2 + length);
    if (element === 0x00 && value.length === 3) return { reference: value[0], total: value[1], number: value[2] };
    if (element === 0x08 && value.length === 4) {
      return { reference: value.readUInt16BE(0), total: value[2], number: value[3] };
    }
  }
  return null;
}

/** The text of a body, or null when its data_coding is not one of text. */
function decode(body, dataCoding) {
  switch (dataCoding) {
    case DATA_CODING.gsm7: return smpp.encodings.ASCII.decode(body); // the library's ASCII is GSM 03.38, one octet a septet
    case DATA_CODING.ia5: return body.toString('ascii');
    case DATA_CODING.latin1: return smpp.encodings.LATIN1.decode(body);
    case DATA_CODING.ucs2: return smpp.encodings.UCS2.decode(body);
    default: return null;
  }
}

/** The octets of a text and the data_coding they need: the one asked for, else GSM 7-bit where it fits, else UCS-2. */
function encode(text, asked) {
  const fitsGsm7 = smpp.encodings.ASCII.match(text);
  const dataCoding = asked ?? (fitsGsm7 ? DATA_CODING.gsm7 : DATA_CODING.ucs2);
  switch (dataCoding) {
    case DATA_CODING.gsm7:
      if (!fitsGsm7) throw new Error(`text does not fit the GSM 7-bit alphabet: ${text}`);
      return { octets: smpp.encodings.ASCII.encode(text), dataCoding };
    case DATA_CODING.ia5: return { octets: Buffer.from(text, 'ascii'), dataCoding };
    case DATA_CODING.latin1: return { octets: smpp.encodings.LATIN1.encode(text), dataCoding };
    case DATA_CODING.ucs2: return { octets: smpp.encodings.UCS2.encode(text), dataCoding };
    default: throw new Error(`data_coding ${dataCoding} carries no text: give hex`);
  }
}

module.exports = { split, part, decode, encode, DATA_CODING };
