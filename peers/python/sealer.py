#!/usr/bin/env python3
"""Seals and opens secured packets (ETSI TS 102 225, mapped to SMS by 3GPP TS 31.115) without any code of Wakala's.

The structure is pycrate's, the ciphers are pycryptodomex's: AES-CBC with a zero initialisation vector, and AES-CMAC.
One JSON object a line on standard input, one answer a line on standard output, octets in hexadecimal:

  {"seal":{"kic_key":..,"kid_key":..,"kic":"12","kid":"12","spi":"1600","tar":"574b41","cntr":"0000000001","plaintext":..}}
      -> {"packet":..,"user_data":..}          user_data is the packet behind its header 02 70 00
  {"open":{"kic_key":..,"kid_key":..,"packet":..}}
      -> {"plaintext":..,"cntr":..,"spi":..,"kic":..,"kid":..,"tar":..}   "packet" may have its header; given kic, kid, spi or
         tar must equal the packet's. Without spi, packets that are not ciphered, checked and counted (SPI1 16) are refused.
  {"seal_response":{"kic_key":..,"kid_key":..,"tar":..,"cntr":..,"status":"00","plaintext":..}}  -> {"packet":..,"user_data":..}
  {"open_response":{"kic_key":..,"kid_key":..,"packet":..}}  -> {"plaintext":..,"cntr":..,"tar":..,"status":..}
  {"diversify":{"master":..,"label":..,"context":..,"length":32}}
      -> {"key":..}          NIST SP 800-108r1 §4.1, counter mode, AES-CMAC: i and L of 32 bits, L in bits, "length" in octets;
         no zero octet in label or context
  anything that fails -> {"error":"why"}

The checksum is 8 octets unless "checksum_length" says otherwise. Counters are stated, never kept: replay is the receiver's matter.

  sealer.py --self-test secured-packets.json      recomputes every AES vector of the file and refuses the negative ones
"""

import json
import sys

from Cryptodome.Cipher import AES
from Cryptodome.Hash import CMAC
from Cryptodome.Protocol.KDF import SP800_108_Counter
from pycrate_mobile.TS31115 import PacketCmdSMSPP, PacketRespSMSPP

BLOCK = 16
COMMAND_HEADER = bytes.fromhex("027000")
RESPONSE_HEADER = bytes.fromhex("027100")
PROFILE_SPI1 = 0x16  # ciphered, cryptographic checksum, processed only when the counter is higher
CHECKSUM_LENGTH = 8
# Octets before the ciphered part, and between the counter's start and the checksum: TS 102 225 §5.1, TS 31.115 §4.2.
COMMAND_CLEAR, RESPONSE_CLEAR = 10, 6
COMMAND_INNER, RESPONSE_INNER = 6, 7  # CNTR 5, PCNTR 1; a response adds its status


class Refused(Exception):
    """The packet is not what the key set demands."""


def octets(fields, name, default=None):
    """The octets of a hexadecimal field."""
    if name not in fields and default is not None:
        return default
    return bytes.fromhex(fields[name])


def cmac(key, message):
    """AES-CMAC, all 16 octets (NIST SP 800-38B)."""
    return CMAC.new(key, msg=message, ciphermod=AES).digest()


def cipher(key):
    """AES-CBC with the zero initialisation vector that the standard prescribes."""
    return AES.new(key, AES.MODE_CBC, iv=bytes(BLOCK))


def without_header(packet, header):
    return packet[len(header):] if packet.startswith(header) else packet


def fill(packet, inner, fields, checksum_length, plaintext, ciphered):
    """Sets counter, padding and data of a packet, with zeros where the checksum will stand."""
    padding = -(inner + checksum_length + len(plaintext)) % BLOCK if ciphered else 0
    packet["CNTR"].set_val(int.from_bytes(octets(fields, "cntr"), "big"))
    packet["PCNTR"].set_val(padding)
    packet["IntegrityCheck"].set_val(bytes(checksum_length))
    packet["Data"].set_val(plaintext + bytes(padding))


def finish(packet, key, header, clear, ciphered):
    """The octets of a packet, its part behind the clear octets ciphered."""
    sealed = packet.to_bytes()
    if ciphered:
        sealed = sealed[:clear] + cipher(key).encrypt(sealed[clear:])
    return {"packet": sealed.hex(), "user_data": (header + sealed).hex()}


def decipher(packet, key, clear):
    """The octets of a packet with its ciphered part in clear."""
    if len(packet) <= clear or (len(packet) - clear) % BLOCK:
        raise Refused("ciphered part is not a whole number of blocks")
    return packet[:clear] + cipher(key).decrypt(packet[clear:])


def bounded(packet, header_least, checksum_length):
    """Checks both lengths of a packet before anything is believed of it."""
    if len(packet) < 3:
        raise Refused("too short")
    if int.from_bytes(packet[:2], "big") != len(packet) - 2:
        raise Refused("packet length differs from the octets that came")
    if packet[2] != header_least + checksum_length:
        raise Refused("header length does not name the checksum of this key set")


def unpad(packet):
    """The data of a packet without its padding, which is zeros and less than a block."""
    padding, data = packet["PCNTR"].get_val(), packet["Data"].to_bytes()
    if padding >= BLOCK or padding > len(data) or any(data[len(data) - padding:]):
        raise Refused("padding is wrong")
    return data[:len(data) - padding]


def command_checksum(packet, key, length):
    """Over all of the packet but the checksum itself (TS 31.115 §4.2)."""
    clear = packet.to_bytes()
    start = COMMAND_CLEAR + COMMAND_INNER
    return cmac(key, clear[:start] + clear[start + length:])[:length]


def seal(fields):
    spi, plaintext = octets(fields, "spi"), octets(fields, "plaintext")
    length = fields.get("checksum_length", CHECKSUM_LENGTH)
    ciphered = bool(spi[0] & 0x04)
    packet = PacketCmdSMSPP()
    packet["SPI"].from_bytes(spi)
    packet["KIc"].from_bytes(octets(fields, "kic"))
    packet["KID"].get_alt().from_bytes(octets(fields, "kid"))
    packet["TAR"].set_val(int.from_bytes(octets(fields, "tar"), "big"))
    fill(packet, COMMAND_INNER, fields, length, plaintext, ciphered)
    packet["IntegrityCheck"].set_val(command_checksum(packet, octets(fields, "kid_key"), length))
    return finish(packet, octets(fields, "kic_key"), COMMAND_HEADER, COMMAND_CLEAR, ciphered)


def open_command(fields):
    received = without_header(octets(fields, "packet"), COMMAND_HEADER)
    length = fields.get("checksum_length", CHECKSUM_LENGTH)
    bounded(received, 13, length)
    spi = octets(fields, "spi", received[3:5])
    if "spi" not in fields and spi[0] != PROFILE_SPI1:
        raise Refused("not ciphered, checked and counted")
    stated = {"spi": received[3:5], "kic": received[5:6], "kid": received[6:7], "tar": received[7:10]}
    for name, value in stated.items():
        if octets(fields, name, value) != value:
            raise Refused(f"{name} is not this key set's")
    if stated["kic"][0] & 0x0F != 2 or stated["kid"][0] & 0x0F != 2:
        raise Refused("not AES")
    if spi[0] & 0x04:
        received = decipher(received, octets(fields, "kic_key"), COMMAND_CLEAR)
    packet = PacketCmdSMSPP()
    packet.from_bytes(received)
    checksum = packet["IntegrityCheck"].to_bytes()
    if checksum != command_checksum(packet, octets(fields, "kid_key"), length):
        raise Refused("checksum does not match")
    answer = {name: value.hex() for name, value in stated.items()}
    return {"plaintext": unpad(packet).hex(), "cntr": f"{packet['CNTR'].get_val():010x}", **answer}


def response_checksum(packet, key, length):
    """As of a command, but the user data header is covered too."""
    clear = packet.to_bytes()
    start = RESPONSE_CLEAR + RESPONSE_INNER
    return cmac(key, RESPONSE_HEADER + clear[:start] + clear[start + length:])[:length]


def seal_response(fields):
    length = fields.get("checksum_length", CHECKSUM_LENGTH)
    packet = PacketRespSMSPP()
    packet["TAR"].set_val(int.from_bytes(octets(fields, "tar"), "big"))
    packet["Status"].set_val(octets(fields, "status", b"\x00")[0])
    fill(packet, RESPONSE_INNER, fields, length, octets(fields, "plaintext"), True)
    packet["IntegrityCheck"].set_val(response_checksum(packet, octets(fields, "kid_key"), length))
    return finish(packet, octets(fields, "kic_key"), RESPONSE_HEADER, RESPONSE_CLEAR, True)


def open_response(fields):
    received = without_header(octets(fields, "packet"), RESPONSE_HEADER)
    length = fields.get("checksum_length", CHECKSUM_LENGTH)
    bounded(received, 10, length)
    packet = PacketRespSMSPP()
    packet.from_bytes(decipher(received, octets(fields, "kic_key"), RESPONSE_CLEAR))
    if packet["IntegrityCheck"].to_bytes() != response_checksum(packet, octets(fields, "kid_key"), length):
        raise Refused("checksum does not match")
    return {
        "plaintext": unpad(packet).hex(),
        "cntr": f"{packet['CNTR'].get_val():010x}",
        "tar": f"{packet['TAR'].get_val():06x}",
        "status": f"{packet['Status'].get_val():02x}",
    }


def diversify(fields):
    key = SP800_108_Counter(
        octets(fields, "master"), fields["length"], cmac, label=octets(fields, "label"), context=octets(fields, "context")
    )
    return {"key": key.hex()}


COMMANDS = {
    "seal": seal,
    "open": open_command,
    "seal_response": seal_response,
    "open_response": open_response,
    "diversify": diversify,
}


def answer(line):
    """The answer to one line; whatever is wrong with the line is said and nothing ends."""
    try:
        ((name, fields),) = json.loads(line).items()
        if name not in COMMANDS:
            raise Refused(f"unknown command: {name}")
        return COMMANDS[name](fields)
    except Exception as error:  # the input is a test's, and every failure is its answer
        return {"error": f"{type(error).__name__}: {error}"}


def is_aes(vector):
    """Whether a vector has an AES checksum; what has none or another algorithm's is not for this oracle."""
    return vector["check"].startswith("AES") and not vector["cipher"].startswith(("3DES", "DES"))


def check_command(vector):
    """Whether a vector seals to its packet and opens to its plaintext when its header is asked for."""
    length = int(vector["check"].rsplit("/", 1)[1]) // 8
    keys = {"kic_key": vector.get("kic_key", ""), "kid_key": vector["kid_key"]}
    header = {name: vector[name] for name in ("kic", "kid", "spi", "tar")}
    body = {"cntr": vector["cntr"], "plaintext": vector["plaintext"]}
    sealed = answer(json.dumps({"seal": {**keys, **header, **body, "checksum_length": length}}))
    opened = answer(json.dumps({"open": {**keys, **header, "packet": vector["packet"], "checksum_length": length}}))
    return sealed.get("packet") == vector["packet"] and all(opened.get(name) == value for name, value in body.items())


def check_response(vector):
    keys = {"kic_key": vector["kic_key"], "kid_key": vector["kid_key"]}
    body = {"plaintext": vector["data"], "cntr": vector["cntr"], "tar": vector["tar"], "status": vector["status"]}
    sealed = answer(json.dumps({"seal_response": {**keys, **body}}))
    opened = answer(json.dumps({"open_response": {**keys, "packet": vector["user_data"]}}))
    return sealed.get("user_data") == vector["user_data"] and opened == body


def refuses(vector, keys):
    return "error" in answer(json.dumps({"open": {**keys, "packet": vector["packet"]}}))


def keys_of(vector):
    return {name: vector.get(name) or "00" * BLOCK for name in ("kic_key", "kid_key")}


def self_test(path):
    """Recomputes the AES vectors of a file and refuses what policy refuses. Exit status 1 when one of them differs."""
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    commands = vectors["commands"] + vectors["derived_commands"]
    keys = {vector["id"]: keys_of(vector) for vector in commands}
    sealed = [vector for vector in commands if is_aes(vector)]
    responses = [vector for vector in vectors["responses"] + vectors["derived_responses"] if is_aes(vector)]
    refused = [(vector, keys[vector["id"]]) for vector in commands if vector["use"] != "profile"]
    refused += [(vector, keys[vector["base"]]) for vector in vectors["negative"] if "base" in vector]
    wrong = [vector["id"] for vector in sealed if not check_command(vector)]
    wrong += [vector["id"] for vector in sealed if refuses(vector, keys[vector["id"]]) and vector["use"] == "profile"]
    wrong += [vector["id"] for vector in responses if not check_response(vector)]
    wrong += [vector["id"] for vector, own in refused if not refuses(vector, own)]
    for name in wrong:
        print(f"differs: {name}")
    print(f"{len(sealed)} commands, {len(responses)} responses, {len(refused)} refusals: {len(wrong)} differ")
    return 0 if sealed and responses and refused and not wrong else 1


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--self-test":
        return self_test(sys.argv[2])
    if len(sys.argv) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(line)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
