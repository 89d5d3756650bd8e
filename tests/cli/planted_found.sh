#!/usr/bin/env bash
# One planted lead and one planted sector, found out of sample, and their controls: tests/long/planted.sh with few fits.
QUICK=1 SEEDS=5 exec bash "$(dirname "$0")/../long/planted.sh"
