"""The parts of tools/build_prices.py."""
