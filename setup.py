"""Only what pyproject.toml has no key for: the C core, by cffi, for every Python from 3.11 on."""

from setuptools import setup

setup(
    cffi_modules=["device/core/build.py:ffi"],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
