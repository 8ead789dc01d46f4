"""Delivery, driven by scripted exchanges."""
