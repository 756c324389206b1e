#!/usr/bin/env python3
"""Makes and opens what goes over the bank link under its preshared key, without any code of Wakala's: HPKE (RFC 9180) is pyhpke's,
in mode auth_psk with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.

One JSON object a line on standard input, one answer a line on standard output, octets in hexadecimal:

  {"seal":{"own":..,"peer":..,"psk":..,"psk_id":..,"info":..,"body":..,"export":"BK"}}  -> {"sealed":..,"key":..}
  {"open":{"own":..,"peer":..,"psk":..,"psk_id":..,"info":..,"sealed":..,"export":"BK"}}  -> {"body":..,"key":..}
  {"open_message":{"root":..,"direction":0,"lane":1,"n":0,"authenticated":..,"sealed":..}}  -> {"body":..}
      walks the chain from the root key, by HKDF-Expand (RFC 5869) with SHA-256, and opens with AES-256-GCM and a nonce of zeros
      "own" is a private key, "peer" a public one; "sealed" is the encapsulated key with the ciphertext behind it; "key" is what is exported
  anything that fails -> {"error":"why"}
"""

import json
import sys

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES256_GCM)
ENCAPSULATED = 32
KEY = 32


def octets(fields, name):
    return bytes.fromhex(fields[name])


def keys(fields):
    own = KEMKey.from_pyca_cryptography_key(X25519PrivateKey.from_private_bytes(octets(fields, "own")))
    peer = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(octets(fields, "peer")))
    return own, peer


def seal(fields):
    own, peer = keys(fields)
    agreed = {"info": octets(fields, "info"), "psk": octets(fields, "psk"), "psk_id": octets(fields, "psk_id")}
    encapsulated, context = SUITE.create_sender_context(peer, sks=own, **agreed)
    sealed = encapsulated + context.seal(octets(fields, "body"))
    return {"sealed": sealed.hex(), "key": context.export(fields["export"].encode(), KEY).hex()}


def open_sealed(fields):
    own, peer = keys(fields)
    sealed = octets(fields, "sealed")
    agreed = {"info": octets(fields, "info"), "psk": octets(fields, "psk"), "psk_id": octets(fields, "psk_id")}
    context = SUITE.create_recipient_context(sealed[:ENCAPSULATED], own, pks=peer, **agreed)
    body = context.open(sealed[ENCAPSULATED:])
    return {"body": body.hex(), "key": context.export(fields["export"].encode(), KEY).hex()}


def expand(key, label, *fields):
    return HKDFExpand(SHA256(), KEY, label + b"".join(fields)).derive(key)


def open_message(fields):
    direction, lane = bytes([fields["direction"]]), fields["lane"].to_bytes(4, "big")
    chain = expand(octets(fields, "root"), b"wakala link v1 ck", direction, lane)
    for _ in range(fields["n"]):
        chain = expand(chain, b"wakala link v1 next")
    key = expand(chain, b"wakala link v1 mk", direction, lane, fields["n"].to_bytes(8, "big"))
    body = AESGCM(key).decrypt(bytes(12), octets(fields, "sealed"), octets(fields, "authenticated"))
    return {"body": body.hex()}


COMMANDS = {"seal": seal, "open": open_sealed, "open_message": open_message}


def answer(line):
    """The answer to one line; whatever is wrong with the line is said and nothing ends."""
    try:
        ((name, fields),) = json.loads(line).items()
        return COMMANDS[name](fields)
    except Exception as error:  # the input is a test's, and every failure is its answer
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line)), flush=True)
