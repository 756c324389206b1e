#!/usr/bin/env python3
"""Card cryptography and ISO 8583 without any code of Wakala's: psec, pydukpt and pyiso8583.

One JSON object a line on standard input, one answer a line on standard output, octets in hexadecimal:

  {"pin_block":{"format":0,"key":..,"pin":"1234","pan":..}} -> {"block":..}         enciphered; format 0, 3 or 4
  {"pin":{"format":0,"key":..,"block":..,"pan":..}}         -> {"pin":"1234"}
  {"wrap":{"kbpk":..,"header":"D0000P0AE00E0000","key":..}} -> {"block":..}         a TR-31 key block
  {"unwrap":{"kbpk":..,"block":..}}                         -> {"key":..,"header":..}
  {"x919":{"key":..,"data":..}}                             -> {"mac":..}           8 octets
  {"cmac":{"key":..,"data":..}}                             -> {"mac":..}           16 octets
  {"pvv":{"key":..,"index":"1","pin":..,"pan":..}}          -> {"pvv":"1234"}
  {"offset":{"key":..,"pin":..,"pan":..}}                   -> {"offset":"1234"}    IBM 3624 over 16 digits of the account
  {"dukpt":{"bdk":..,"ksn":..}}                             -> {"initial":..,"pin":..,"mac_request":..,"mac_response":..,
                                                                "data_request":..,"data_response":..}
  {"decode":{"link":"pos","octets":..}}                     -> {"mti":..,"fields":{"3":..}}
  {"encode":{"link":"pos","mti":..,"fields":{"3":..}}}      -> {"octets":..}
  anything that fails                                       -> {"error":"why"}

Fields of octets are in hexadecimal, tracks of the point-of-sale link have D for their separator. The tables of fields stand here
a second time, on purpose: a slip in one of the two shows.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")  # cryptography warns of TDES, rightly

import iso8583
import pydukpt
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from psec import des, mac, pin, pinblock, tr31


def spec_of_pos(numbers):
    """Rows `number: (kind, length digits, longest)` as pyiso8583 wants them for packed digits."""
    spec = {
        "h": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 0},
        "t": {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 2},
        "p": {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 8},
        "1": {"data_enc": "b", "len_enc": "bcd", "len_type": 0, "max_len": 0},
    }
    for number, (kind, digits, longest) in numbers.items():
        row = {"len_enc": "bcd", "len_type": (digits + 1) // 2, "max_len": longest, "desc": ""}
        if kind in "nz":
            row |= {"data_enc": "b", "len_count": "nibbles", "right_pad": "0"}
        elif kind == "r":
            row |= {"data_enc": "b", "len_count": "nibbles", "left_pad": "0"}
        else:
            row |= {"data_enc": "b" if kind == "b" else "latin-1"}
        spec[str(number)] = row
    return spec


def spec_of_institution(numbers):
    """The same for digits in ASCII and two bitmaps."""
    spec = {
        "h": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 0},
        "t": {"data_enc": "ascii", "len_enc": "ascii", "len_type": 0, "max_len": 4},
        "p": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8},
        "1": {"data_enc": "b", "len_enc": "ascii", "len_type": 0, "max_len": 8},
    }
    for number, (kind, digits, longest) in numbers.items():
        encoding = "b" if kind == "b" else "latin-1"
        spec[str(number)] = {"data_enc": encoding, "len_enc": "ascii", "len_type": digits, "max_len": longest, "desc": ""}
    return spec


POS = spec_of_pos({
    2: ("n", 2, 19), 3: ("n", 0, 6), 4: ("n", 0, 12), 11: ("n", 0, 6), 12: ("n", 0, 6), 13: ("n", 0, 4), 14: ("n", 0, 4),
    15: ("n", 0, 4), 22: ("n", 0, 3), 23: ("r", 0, 3), 25: ("n", 0, 2), 26: ("n", 0, 2), 32: ("n", 2, 11), 35: ("z", 2, 37),
    36: ("z", 3, 104), 37: ("a", 0, 12), 38: ("a", 0, 6), 39: ("a", 0, 2), 41: ("a", 0, 8), 42: ("a", 0, 15),
    44: ("a", 2, 25), 48: ("n", 3, 322), 49: ("a", 0, 3), 52: ("b", 0, 8), 53: ("n", 0, 16), 54: ("a", 3, 20),
    55: ("b", 3, 255), 58: ("a", 3, 100), 60: ("n", 3, 17), 61: ("n", 3, 29), 62: ("b", 3, 512), 63: ("a", 3, 163),
    64: ("b", 0, 8),
})

INSTITUTION = spec_of_institution(
    {number: ("a", 0, longest) for number, longest in {
        3: 6, 4: 12, 5: 12, 6: 12, 7: 10, 9: 8, 10: 8, 11: 6, 12: 6, 13: 4, 14: 4, 15: 4, 16: 4, 18: 4, 19: 3, 22: 3, 23: 3,
        25: 2, 26: 2, 28: 9, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 43: 40, 49: 3, 50: 3, 51: 3, 53: 16, 70: 3, 90: 42,
    }.items()}
    | {number: ("a", 2, longest) for number, longest in {
        2: 19, 32: 11, 33: 11, 35: 37, 44: 25, 45: 76, 100: 11, 102: 28, 103: 28,
    }.items()}
    | {number: ("a", 3, longest) for number, longest in {
        36: 104, 48: 512, 54: 120, 56: 512, 57: 100, 58: 100, 59: 600, 60: 100, 61: 200, 62: 200, 104: 512, 113: 512, 116: 512,
        117: 256, 121: 100, 122: 100, 123: 512, 125: 256, 126: 256,
    }.items()}
    | {52: ("b", 0, 8), 55: ("b", 3, 255), 63: ("b", 3, 512), 96: ("b", 0, 8), 128: ("b", 0, 8)}
)

LINKS = {"pos": POS, "institution": INSTITUTION}


def octets(fields, name):
    return bytes.fromhex(fields[name])


def pin_block(ask):
    key = octets(ask, "key")
    if ask["format"] == 4:
        return {"block": pinblock.encipher_pinblock_iso_4(key, ask["pin"], ask["pan"]).hex()}
    encode = {0: pinblock.encode_pinblock_iso_0, 3: pinblock.encode_pinblock_iso_3}[ask["format"]]
    return {"block": des.encrypt_tdes_ecb(key, encode(ask["pin"], ask["pan"])).hex()}


def pin_of(ask):
    key, block = octets(ask, "key"), octets(ask, "block")
    if ask["format"] == 4:
        return {"pin": pinblock.decipher_pinblock_iso_4(key, block, ask["pan"])}
    decode = {0: pinblock.decode_pinblock_iso_0, 3: pinblock.decode_pinblock_iso_3}[ask["format"]]
    return {"pin": decode(des.decrypt_tdes_ecb(key, block), ask["pan"])}


def wrap(ask):
    return {"block": tr31.wrap(octets(ask, "kbpk"), ask["header"], octets(ask, "key"))}


def unwrap(ask):
    header, key = tr31.unwrap(octets(ask, "kbpk"), ask["block"])
    return {"key": key.hex(), "header": str(header)}


def x919(ask):
    key = octets(ask, "key")
    return {"mac": mac.generate_retail_mac(key[:8], key[8:], octets(ask, "data"), 1).hex()}


def cmac(ask):
    code = CMAC(AES(octets(ask, "key")))
    code.update(octets(ask, "data"))
    return {"mac": code.finalize().hex()}


def pvv(ask):
    return {"pvv": pin.generate_visa_pvv(octets(ask, "key"), ask["index"], ask["pin"], ask["pan"])}


def offset(ask):
    table, account = "0123456789012345", ask["pan"][-16:]
    return {"offset": pin.generate_ibm3624_offset(octets(ask, "key"), table, ask["pin"], account, 0, len(account), "F")}


def dukpt(ask):
    ksn = octets(ask, "ksn")
    initial = pydukpt.derive_ipek(octets(ask, "bdk"), ksn)
    key = pydukpt.derive_key(initial, ksn)
    working = {
        "pin": pydukpt.pin_key, "mac_request": pydukpt.mac_request_key, "mac_response": pydukpt.mac_response_key,
        "data_request": pydukpt.data_request_key, "data_response": pydukpt.data_response_key,
    }
    return {"initial": initial.hex()} | {name: derive(key).hex() for name, derive in working.items()}


def decode(ask):
    fields, _ = iso8583.decode(octets(ask, "octets"), LINKS[ask["link"]])
    return {"mti": fields["t"], "fields": {number: fields[number] for number in fields if number not in ("h", "t", "p", "1")}}


def encode(ask):
    # A second bitmap without a field in it is not the library's to write: this link always has field 128.
    message, _ = iso8583.encode({"t": ask["mti"]} | ask["fields"], LINKS[ask["link"]])
    return {"octets": message.hex()}


ASKED = {
    "pin_block": pin_block, "pin": pin_of, "wrap": wrap, "unwrap": unwrap, "x919": x919, "cmac": cmac, "pvv": pvv,
    "offset": offset, "dukpt": dukpt, "decode": decode, "encode": encode,
}


def main():
    for line in sys.stdin:
        try:
            (what, ask), = json.loads(line).items()
            answer = ASKED[what](ask)
        except Exception as why:  # whatever a library says of an input is an answer
            answer = {"error": f"{type(why).__name__}: {why}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
