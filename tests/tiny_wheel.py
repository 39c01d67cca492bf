"""The smallest wheels, and a build backend that makes one of the project it lies in: copied into a tests' course."""

import zipfile
from pathlib import Path


def write_wheel(folder, name, version, requires=(), padding=0):
    """Write `name`, a package of one module and `padding` bytes; returns the wheel's file name."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    files = {f"{name}.py": f"version = '{version}'\n", f"{name}_padding.bin": bytes(padding),
             f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                                 f"Provides-Extra: dev\n{needs}",
             f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    wheel = Path(folder) / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel.name


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    """PEP 660: what pip calls for `-e .`. It needs `small` as the course needs setuptools: pip must put it here."""
    import small

    assert small.version == "1.0"
    return write_wheel(wheel_directory, "tiny_course", "1.0",
                       ["torch", "torchvision", "small", 'tool; extra == "dev"'])
