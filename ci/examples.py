"""Runs each ```python and ```bash block of a page. A block that fails, or takes a minute, fails the run."""

import pathlib
import re
import subprocess
import sys
import tempfile

RUN = {"python": ["python3", "-"], "bash": ["bash", "-euo", "pipefail", "-s"]}

page = pathlib.Path(sys.argv[1])
text = page.read_text()
blocks = re.finditer(r"^```(python|bash)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
count = 0
for block in blocks:
    language, program = block.groups()
    line = text.count("\n", 0, block.start()) + 1
    print(f"--- {page}:{line}, {language}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(RUN[language], input=program, cwd=folder, text=True, timeout=60)
    if done.returncode:
        sys.exit(f"{page}:{line}: exit code {done.returncode}")
    count += 1
if not count:
    sys.exit(f"{page} has no programs")
print(f"note: {count} programs")
