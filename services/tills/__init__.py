"""Registers that a store's staff share: enrolled by its owner or managers, each clerk known there by a PIN."""
