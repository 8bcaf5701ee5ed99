"""Holds what `sam build` made to what Lambda asks for: glibc and size, for every function of the template."""

import glob
import io
import re
import subprocess
import sys
import zipfile

# Amazon Linux 2023's.
GLIBC = (2, 34)
# The aim is 5 MB, which without LTO the largest ones only just meet.
ZIP_BYTES = 5_250_000

binaries = sorted(glob.glob(".aws-sam/build/*/bootstrap"))
wanted = len(re.findall(r"^    Type: AWS::Serverless::Function$", open("template.yaml").read(), re.M))
failed = len(binaries) != wanted or not binaries
if failed:
    print(f"template.yaml has {wanted} functions, .aws-sam/build {len(binaries)}: run .ci/run build")
for binary in binaries:
    symbols = subprocess.run(["objdump", "-T", binary], check=True, capture_output=True, text=True).stdout
    versions = {tuple(map(int, version.split("."))) for version in re.findall(r"\bGLIBC_([\d.]+)", symbols)}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(binary, "bootstrap")
    size = zipped.getbuffer().nbytes
    newest = ".".join(map(str, max(versions, default=(0,))))
    print(f"{binary.split('/')[2]:16} glibc {newest:7} zip {size / 1e6:.2f} MB")
    failed |= not versions or max(versions) > GLIBC or size > ZIP_BYTES
sys.exit(failed)
