"""Adds a blob of zeros to a repository: huge_blob.py GIT-FOLDER BYTES; prints its name.

A loose object is one zlib stream: one compressed mebibyte is written again and again, so that
gigabytes take two seconds and two megabytes.
"""
import hashlib
import os
import sys
import zlib

STEP = 1 << 20


def deflated(data, mode):
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush(mode)


def main():
    folder, size = sys.argv[1], int(sys.argv[2]) // STEP * STEP
    head, zeros = b"blob %d\0" % size, bytes(STEP)
    name, check = hashlib.sha1(head), zlib.adler32(head)
    for _ in range(size // STEP):
        name.update(zeros)
        check = zlib.adler32(zeros, check)
    path = f"{folder}/objects/{name.hexdigest()[:2]}"
    os.makedirs(path, exist_ok=True)
    with open(f"{path}/{name.hexdigest()[2:]}", "wb") as file:
        file.write(b"\x78\x9c" + deflated(head, zlib.Z_FULL_FLUSH))
        block = deflated(zeros, zlib.Z_FULL_FLUSH)
        for _ in range(size // STEP):
            file.write(block)
        file.write(deflated(b"", zlib.Z_FINISH) + check.to_bytes(4, "big"))
    print(name.hexdigest())


main()
