"""A second implementation of every format that outlives the process, to make formats.json.

Run: pip install cryptography==48.0.0 && python3 formats.py > formats.json
All long-lived keys, salts and nonces are octets ca, as a generator that yields nothing else would draw them.
"""
import hashlib
import hmac
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.kbkdf import CounterLocation, KBKDFCMAC, Mode
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

KEY = b"\xca" * 32
NONCE = b"\xca" * 24
ICCID = b"8925501234567890123"
NUMBER = b"+255712000001"


def prefixed(field):
    length = bytes([len(field)]) if len(field) < 255 else b"\xff" + len(field).to_bytes(8, "big")
    return length + field


def cmac(key, message):
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def tag(label, *fields):
    return hmac.new(KEY, label + b"\0" + b"".join(map(prefixed, fields)), hashlib.sha256).digest()


def xaes(key, plaintext, authenticated):
    """XAES-256-GCM of c2sp.org."""
    record = b"".join(cmac(key, bytes([0, i]) + b"X\0" + NONCE[:12]) for i in (1, 2))
    return NONCE + AESGCM(record).encrypt(NONCE[12:], plaintext, authenticated)


def at_rest(purpose, record, plaintext):
    context = b"wakala at rest v1\0" + (1).to_bytes(4, "big") + prefixed(purpose) + prefixed(record)
    return (1).to_bytes(4, "big") + xaes(KEY, plaintext, context)


def public_key(encoding):
    return Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


def signature(purpose, statement):
    key_id = hashlib.sha256(public_key(Encoding.DER)).hexdigest()[:16]
    message = b"wakala statement v1\0" + prefixed(purpose) + statement
    return key_id + ":" + Ed25519PrivateKey.from_private_bytes(KEY).sign(message).hex()


def reference(number):
    """Ten Feistel rounds, then a check digit by Damm's table, here row after row."""
    damm = "0317598642709215486342068713591750983426612304597836742095815869720134894536201794386172052581436790"
    left, right = divmod(number, 10**6)
    aes = Cipher(algorithms.AES(tag(b"wakala reference key v1")), modes.ECB()).encryptor()
    for step in range(10):
        other = left if step % 2 else right
        block = b"reference" + bytes([step, 0, 0]) + other.to_bytes(4, "big")
        addend = int.from_bytes(aes.update(block)[:8], "big")
        if step % 2:
            right = (right + addend) % 10**6
        else:
            left = (left + addend) % 10**5
    digits = f"{left:05}{right:06}"
    check = 0
    for digit in digits:
        check = int(damm[10 * check + int(digit)])
    return digits + str(check)


def card(label):
    return KBKDFCMAC(algorithms.AES, Mode.CounterMode, 32, 4, 4, CounterLocation.BeforeFixed,
                     b"wakala card v1 " + label, ICCID, None).derive(KEY)


def packet(direction, number, counter, plaintext):
    """From CPL on: AES-CMAC over all but itself, then AES-CBC from the counter on."""
    padding = -(14 + len(plaintext)) % 16
    inside = counter.to_bytes(5, "big") + bytes([padding])
    length = 8 + 14 + len(plaintext) + padding
    head = length.to_bytes(2, "big") + bytes([0x15, 0x16, 0, number << 4 | 2, number << 4 | 2]) + b"WKA"
    body = plaintext + bytes(padding)
    mac = cmac(card(direction + b" check"), head + inside + body)
    cbc = Cipher(algorithms.AES(card(direction + b" cipher")), modes.CBC(bytes(16))).encryptor()
    return head + cbc.update(inside + mac[:8] + body)


def key_file(passphrase):
    keys = KEY * 2 + b"\1" + (1).to_bytes(4, "big") + KEY * 4
    header = b"wakala keys v1\n\0" + b"".join(n.to_bytes(4, "big") for n in (65536, 3, 1)) + b"\xca" * 16
    key = Argon2id(salt=b"\xca" * 16, length=32, iterations=3, lanes=1, memory_cost=65536).derive(passphrase)
    file = header + xaes(key, keys, header)
    return file + hashlib.sha256(file).digest()


print(json.dumps({
    "pin_proof": tag(b"wakala pin v1", NUMBER, b"2718").hex(),
    "code_proof": tag(b"wakala code v1", b"withdrawal password", NUMBER, b"27182818").hex(),
    "verification_code_proof": tag(b"wakala code v1", b"verification code", NUMBER, b"271828").hex(),
    "registration_code_proof": tag(b"wakala code v1", b"registration code", NUMBER, b"271828").hex(),
    "one_time_pin_proof": tag(b"wakala code v1", b"one-time PIN", NUMBER, b"271828").hex(),
    "plain_fingerprint": tag(b"wakala plain message v1", NUMBER, b"15055", b"BL*2718").hex()[:32],
    "long_fingerprint": tag(b"wakala plain message v1", NUMBER, b"15055", b"x" * 300).hex()[:32],
    "sealed_fingerprint": tag(b"wakala sealed message v1", ICCID, (7).to_bytes(8, "big"), b"12345678").hex()[:32],
    "blind_index": tag(b"wakala blind index v1", b"identity", b"A 1234").hex(),
    "commitment": tag(b"wakala commitment v1", b"name", b"Asha").hex(),
    "at_rest": at_rest(b"name", b"record 1", b"Asha").hex(),
    "public_key": public_key(Encoding.PEM).decode(),
    "signature": signature(b"chain head", b"17"),
    "long_signature": signature(b"p" * 300, b"s" * 1000),
    "references": {str(n): reference(n) for n in (0, 1, 2, 42, 10**11 - 1)},
    "uplink_packet": packet(b"uplink", 1, 7, b"TM*0712000002*500*1234").hex(),
    "downlink_packet": packet(b"downlink", 2, 8, b"OK").hex(),
    "key_file": key_file(b"correct horse battery staple").hex(),
}, indent=1))
