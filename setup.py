"""Only what pyproject.toml has no key for: the C core, built by cffi."""

from setuptools import setup

setup(cffi_modules=["device/core/build.py:ffi"])
