"""The RSA test keys that this package ships, so that no run needs to generate one.

They are public and protect nothing: anyone can sign with them. Generating a 2048-bit key takes
10 to 90 ms, loading one with all checks 35 ms; these need no checks.
"""

from functools import cache

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_SIGNING = b"""\
-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDBvkrICu3iyV7U
vK5USqfJjzNLIqDINmb8I6eTclF4BiHqsaAl1/5yRiS19d97SihPaWjEIhNJNTn5
Ok1sdW2C/S9k5twg6qJKT5sIMG8fgChFgt2Dwz8xJ5fKsow0zvOkK4efKBhQZAtP
i1nWVYDjP5rVu2hdSdSySFg9mJUXYTE4IIXCKkdMG6qek1zpnNP/ZoPQ5RxZ7JbB
4WYf1HTB6x9+JsyGVx4AYA0Q7x1GM006/Oz7h48T2rYlNIGK+UQMilf80ew7xU2w
q17ZE3/M5TnDG17BjjytlK9f3XVisa4iKbL1ptuI9HWv1ANCO8YF3ENTDUuw4gf1
4hoJCQTBAgMBAAECggEAAIOOu5o4h9dGxml/eg58DGtNmUzc3rtgd5KPx43rWsNk
WIKSsaC4qqQPFmclVXwI+cdm7uXbQlG41gGe4Lt5utUG3rU1+1IQLVpq/yfYpz4e
BUceczZtUzA7IFIBGtVUtrNJMH5smnqGaZjb57ViguPGasTc5kGc4LmCJ6l8ugi1
dHvCuZIBqPz9tnN2Ro94jQWp9enYQQKFb2qgp6p2+6p02Ajs97gwrimADCgzk6fF
cJgfCdEp5Q9r2LMpShZ/jKoWCEVLuMa77S15iohY12e2HovbtwDf9vhPGEoeh+gm
HQ6HA/kIAxwVog9T+egO4fJVykV9XYxMAQsevZBHJQKBgQD6Hb3zfK8NDOw7CjOw
UdOh83+NHduLwG7brJYfDR/p2hXfxEZbrB2K03TRDPCy52r7TgJNnOV+W5ll9C9X
NHdrd6LWjc3GwknCGxDK1bcnqBFt2Qf1qeHXBH+xpKas04OQqnw6oxcZBIm5a0+i
kATu45NmRtBOSjT7hBsV5xBMAwKBgQDGTQ9FcLOlABOB0fo6VVaNVuiiKPvWpLWI
mSeAzoY23uIBVx9yD8kU3+4K8lf7CbRgKxkRlnED7lwTeJ5Gd3QYmz3Kocc3zu48
j5LxPbNCT3hscaX57wZgRPZXD+EueBkdj+w1muNfJOBk/v0Z7xEmmMDH8+uPrnnC
IRX2wd5q6wKBgEzAebzRQyp/D7LiY5A02/uzrC2Svv94sswofvzSWzu418OOCIUz
IPGsCAnqraZIy5SIkL5eajJHS6B0uV5KVGcfFFJAu6fFkTrGcXW89XJu6cJKul2R
nyMLV2AdBaS9V386QdsAlyLvOJA0tQBOr6TbIy1ch6muremM1X74JBEfAoGAPYLf
ztFz2CXa5zUkIn4gN/2SceK2o9E5wmKHn2vwtAqVHodQ6Me+vyvrIhgkdGmBOyeD
QjJhYi/I/f03U3JwX8Wf+EAQlN4qhjye/xf9h/8wwqrKKmoblzctFrqFRi3Y1JO1
WLdv+i5tMMbr6eR/dHKDskKWel5LxI0QzBc9D/sCgYEAllXIyYssoA37Y88iPRJ6
3lRhv0FvhK6yrQWUF1+7jaaScCDGiBXBz8ApWxPDCITFV+h6rZU+QOrU4+GrIeOe
ibdevPfuEe+T0KjRQRu9DCIiKLvMaOH56PQ5jzL4ym6S+gFP7UjtBhSnpg+ZyMYd
LrZn0kr9cwnjWxDK0tpWiTI=
-----END PRIVATE KEY-----
"""

_FOREIGN = b"""\
-----BEGIN PRIVATE KEY-----
MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCY2GiI2fvYx/5V
ZmVfsHxqcuTTclHkVqRRXmZZBYHsEJ+eKCnRy3KAbMK6OWVFjbwkLlHqlwHDiUSC
HUmnICtL1/Z2XWnkzE0rt2gILm14sJCbxKbYR67mtlv8KNxom9jM1P1FQcoOR6HB
bvL4E4/teF2F07agSNwukI/S3rdhV9Oq8Tjk21gXkfQl4UdPhPQqS/bqdh8Qa+Lr
CfxYLO4RqwJH4STo/WcPlkuQB4O5uG0O5owFZ/9HUnlWoIwW5Opd4S3SYQgGJjlN
KpA0m1uz/9ctFI06UFm03wtmJ1BK3pzSb+Rx/WbDEmdteitq5kK+K8A+hjr3JZHM
JpOk82UJAgMBAAECggEAALhEctN5CqdGuaXmTOqhFpD60PWR9vVrfyXvSx9MJqLy
3xYaM4Pkyz/VvTHn7zhrWudUzm1QoHHgz7+nfnEGpD0YbQGKnQYgFOljs+5tYASg
2S2cvQCb0Z5k94Crfh8GCMik7eYADOXmD64s2K5vK2J9sboDnWSfx8Kf7F53zeG2
PO2m1DW3YD2W6OdAt+O/ZpL8e9wK85Sof7ug9aUGCcVCjG27jhBFIC9hwP2dCoYF
CpGikAChd+6AmuNuooc3WwBJQ+Dbkooi91YLATQF3jAxyhPzDB/tZYKCj8ZGjQe6
9EmoXn4/x7ts0J512Ho7ilD8FmDVjsxV8hUSm2UiqQKBgQDM0ogQyOQU7dNziyyj
GZ1U7va88zK8aF/+YH5QYBDGduSCSlEeVxAp87dprlJMl4K86N6DQX2HoD9Di82z
KGzD/EYwqKciSB/1ImLS0ifLCmnKYYrQMELs+hFV+35nXaTtwGQAoskQFKzbbsdP
peXS7ohvjWaRZDCqiwJdwf9ADQKBgQC/CSoDwWDrjV0b9/74lkn6CjY9RfwgFhuy
cvAuaRjLu4puVRYp2l+aWaG39hWgv7rKc7dpei6lTed+oHZl8gyG3HEoGnHw2/z/
yWTHU9R4Z7rztn4pB3l1YW/yncBj51L3voJ0us/ppmbc1L+UILsUMqChUZtcWg+T
YXmuhGo97QKBgQCY0UeFxm0uFFecsK0oL5dMZFKhnY4wNmvQvivgShyaBuDtOQeW
7Hx54IXrCo4K6Uw5KEHEiptfErfA7NEXp8Sm4VV5PowcrtVxLyuugfAAtI9D2U0Z
kbiNWPKQRWkFNEA2x0GVm98J6XMi8V8x1ORJYYFYQZbSSX9p7vdf/rs0DQKBgE7x
743rvSy6l462VoTOPrX4wF9j64Qq/rko7H6RafDPiK59tRIIr1du0Pjf1iI++Wcu
mM4a8unXHuJiV2tbsreMo6qJ+yopDw15YY9J4lT7sPOEJ/C2qQfMA2JEtLvUXaIJ
9YldpgwNexapSJ5jRExde6oOumBYy3UBZDKtf+YlAoGBAMg8Q29o/hnQ80xh75n7
tRjyVrRyG2+m6P8srDXVmM0vJ3w3xd8v1padpZblzF4MCLLMEa/NNXMCC6FsTDDg
WJYZbnVGnV1v/GE2JrJiHhpddtaf6HNFdod+iuvZqfROam4CV53kn+OzsnKUPGwt
VV+Sq/6UbdY22Ms5fJFzC77H
-----END PRIVATE KEY-----
"""


@cache
def signing_key() -> RSAPrivateKey:
    """The key that signs every access token of every sandbox."""
    return _load(_SIGNING)


@cache
def foreign_key() -> RSAPrivateKey:
    """A key that is not the issuer's, for forged tokens."""
    return _load(_FOREIGN)


def _load(pem: bytes) -> RSAPrivateKey:
    key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)  # noqa: S101 - what the files above hold
    return key
