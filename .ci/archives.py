"""Checks what `sam build` made: archives.py FOLDER AGAIN PROCESSOR FUNCTION…

Each function's executable is a static, stripped ELF file for the processor, and two builds give the same bytes.
"""

import pathlib
import struct
import sys

MACHINES = {"x86_64": 62, "arm64": 183}  # e_machine of the ELF header
PT_INTERP = 3  # a dynamic linker is asked for
SHT_SYMTAB = 2


def problems(data, processor):
    """What is wrong with an executable."""
    if data[:6] != b"\x7fELF\x02\x01":
        yield "is no 64-bit little-endian ELF file"
        return
    machine, = struct.unpack_from("<H", data, 18)
    if machine != MACHINES[processor]:
        yield f"is for processor {machine}, not for {processor}"
    programs, sections = struct.unpack_from("<QQ", data, 32)
    program_size, program_count, section_size, section_count = struct.unpack_from("<HHHH", data, 54)
    if any(struct.unpack_from("<I", data, programs + i * program_size)[0] == PT_INTERP for i in range(program_count)):
        yield "is linked dynamically"
    if any(struct.unpack_from("<I", data, sections + i * section_size + 4)[0] == SHT_SYMTAB for i in range(section_count)):
        yield "is not stripped"


def main(folder, again, processor, *functions):
    found = sorted(path.parent.name for path in pathlib.Path(folder).glob("*/bootstrap"))
    if not functions or found != sorted(functions):
        sys.exit(f"archives: {folder} holds {found}, the template declares {sorted(functions)}")
    for name in found:
        data = (pathlib.Path(folder) / name / "bootstrap").read_bytes()
        wrong = list(problems(data, processor))
        if (pathlib.Path(again) / name / "bootstrap").read_bytes() != data:
            wrong.append("differs from one build to the next")
        if wrong:
            sys.exit(f"archives: {name} for {processor} " + ", and ".join(wrong))
        print(f"archives: {name} for {processor}: static, stripped, {len(data) / 2**20:.1f} MiB, the same twice")


main(*sys.argv[1:])
