"""Coverage-guided fuzz of the DICOM loader: headers, code streams, archives, pictures.

    pip install atheris
    python benchmarks/fuzz_guided.py --seconds 1800 --corpus /tmp/corpus

Each input is a file in a folder that is listed; what opens is read. Anything but a refusal is kept
in ``CORPUS/found`` under what it raised and where, and the fuzz goes on: so are faults that the
listing's own net has caught. Inputs that reach new code gather in ``CORPUS/kept``, from where a few
small ones go to ``tests/fuzz/cases``. The exit code is 1 where something was found.
"""

import argparse
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import traceback
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]

from dicombytes import MR_IMAGE, keyword_elements, mr_file, whole_file  # noqa: E402

LONGEST = 24 * 1024
MEMORY_MIB = 3000
SECONDS_A_FILE = 20


def write_seeds(folder: Path) -> None:
    """Small files of every kind that the loader opens."""
    from fuzz_loader import write_coded  # loads the loader, which is not yet watched then

    folder.mkdir(parents=True, exist_ok=True)
    write_coded(folder)
    plain = mr_file()
    files = {
        "plain": plain,
        "bare": plain[132:],
        "implicit": whole_file(implicit(), "1.2.840.10008.1.2"),
        "colour": mr_file(
            {
                "Modality": "OT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "SamplesPerPixel": 3,
                "PhotometricInterpretation": "RGB", "BitsAllocated": 8, "BitsStored": 8,
                "HighBit": 7, "PixelData": bytes(768),
            }
        ),
    }  # fmt: skip
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", method) as target:
            target.writestr("a", plain)
            target.writestr("b.dcm", plain[132:])
        files[f"zip{method}"] = packed.getvalue()
    for kind in ("PNG", "JPEG", "TIFF"):
        picture = io.BytesIO()
        Image.fromarray(np.arange(256, dtype="u1").reshape(16, 16)).save(picture, kind)
        files[kind] = picture.getvalue()
    for name, data in files.items():
        (folder / name).write_bytes(data)


def implicit() -> bytes:
    """The data set of the plain slice without value representations."""
    found = b""
    for tag, one in sorted(keyword_elements({**MR_IMAGE, "PixelData": None}).items()):
        value = one[8:]
        found += tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2]
        found += len(value).to_bytes(4, "little") + value
    return found + b"\xe0\x7f\x10\x00" + (512).to_bytes(4, "little") + bytes(512)


def fuzz(corpus: Path, seconds: int) -> None:
    """Fuzz in this process until the time is over; never returns."""
    import atheris

    with atheris.instrument_imports(include=["necroangle.dicom"]):
        from necroangle.dicom import read_volume, scan_folder
        from necroangle.errors import DicomError
    found = corpus / "found"
    found.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="necroangle-fuzz-", dir=_memory()))
    path = folder / "one"

    def keep(data: bytes, name: str) -> None:
        if not any(found.glob(f"{name}-*")):
            digest = hashlib.blake2b(data, digest_size=4).hexdigest()
            (found / f"{name}-{digest}").write_bytes(data)
            print(f"FOUND {name}: {len(data)} bytes", flush=True)

    def one(data: bytes) -> None:
        path.write_bytes(data)
        try:
            scan = scan_folder(folder)
            for refusal in scan.refused:
                if "internal error" in refusal.reason:
                    keep(data, "net-" + "".join(filter(str.isalpha, refusal.reason)))
            for series in scan.series:
                read_volume(series)
        except DicomError:
            pass
        except Exception as error:
            frame = traceback.extract_tb(error.__traceback__)[-1]
            keep(data, f"{type(error).__name__}-{Path(frame.filename).stem}-{frame.lineno}")

    kept, seeds = corpus / "kept", corpus / "seeds"
    kept.mkdir(exist_ok=True)
    options = [
        f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-rss_limit_mb={MEMORY_MIB}",
        f"-timeout={SECONDS_A_FILE}", f"-artifact_prefix={found}/", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(kept), str(seeds)], one)
    atheris.Fuzz()


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--inner", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inner:
        fuzz(asked.corpus, asked.seconds)
    write_seeds(asked.corpus / "seeds")
    own = [sys.executable, __file__, "--inner", "--corpus", str(asked.corpus)]
    ended = subprocess.run([*own, "--seconds", str(asked.seconds)], check=False).returncode
    found = sorted(path.name for path in (asked.corpus / "found").iterdir())
    print(f"ended with {ended}; found: {', '.join(found) or 'nothing'}")
    return 1 if found or ended else 0


if __name__ == "__main__":
    sys.exit(main())
