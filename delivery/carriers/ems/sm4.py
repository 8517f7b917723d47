"""SM4 (GB/T 32907-2016) in pure Python, one block at a time.

Only the fallback for an OpenSSL built without SM4; about a thousand times slower than `cryptography`, and not
constant-time. Checked against the standard's own vector and, where OpenSSL has SM4, against `cryptography`.
"""

from typing import Final

BLOCK: Final = 16

_SBOX: Final = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c05" "2b679a762abe04c3aa44132649860699"
    "9c4250f491ef987a33540b43edcfac62" "e4b31ca9c908e89580df94fa758f3fa6"
    "4707a7fcf37317ba83593c19e6854fa8" "686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887" "d40046579fd327524c3602e7a0c4c89e"
    "eabf8ad240c738b5a3f7f2cef96115a1" "e0ae5da49b341a55ad933230f58cb1e3"
    "1df6e22e8266ca60c02923ab0d534e6f" "d5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad8" "0ac13188a5cd7bbd2d74d012b8e5b4b0"
    "8969974a0c96777e65b9f109c56ec684" "18f07dec3adc4d2079ee5f3ed7cb3948"
)  # fmt: skip
_FK: Final = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
_CK: Final = tuple(int.from_bytes(bytes((4 * i + j) * 7 % 256 for j in range(4))) for i in range(32))


def _rotate(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (32 - bits))) & 0xFFFFFFFF


def _substitute(word: int) -> int:
    return int.from_bytes(bytes(_SBOX[byte] for byte in word.to_bytes(4)))


def _mix(word: int) -> int:
    mixed = _substitute(word)
    return mixed ^ _rotate(mixed, 2) ^ _rotate(mixed, 10) ^ _rotate(mixed, 18) ^ _rotate(mixed, 24)


def round_keys(key: bytes) -> tuple[int, ...]:
    """The 32 round keys of a 16-byte key, in the order of encryption."""
    if len(key) != BLOCK:
        raise ValueError("an SM4 key has exactly 16 bytes")
    k = [int.from_bytes(key[i : i + 4]) ^ _FK[i // 4] for i in range(0, BLOCK, 4)]
    for i in range(32):
        mixed = _substitute(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ _CK[i])
        k.append(k[i] ^ mixed ^ _rotate(mixed, 13) ^ _rotate(mixed, 23))
    return tuple(k[4:])


def crypt_block(block: bytes, keys: tuple[int, ...]) -> bytes:
    """One block through the 32 rounds; with the keys reversed it decrypts."""
    x = [int.from_bytes(block[i : i + 4]) for i in range(0, BLOCK, 4)]
    for key in keys:
        x.append(x[-4] ^ _mix(x[-3] ^ x[-2] ^ x[-1] ^ key))
    return b"".join(word.to_bytes(4) for word in reversed(x[-4:]))


def encrypt_ecb(data: bytes, key: bytes) -> bytes:
    """Whole blocks, without padding."""
    return _each_block(data, round_keys(key))


def decrypt_ecb(data: bytes, key: bytes) -> bytes:
    """Whole blocks, without taking padding off."""
    return _each_block(data, round_keys(key)[::-1])


def _each_block(data: bytes, keys: tuple[int, ...]) -> bytes:
    if len(data) % BLOCK:
        raise ValueError("SM4-ECB works on whole blocks of 16 bytes")
    return b"".join(crypt_block(data[i : i + BLOCK], keys) for i in range(0, len(data), BLOCK))
