"""Tests of the package, without WebAssembly."""
