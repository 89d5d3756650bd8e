#!/usr/bin/env bash
# Every allocation, read and write of every command fails once (tests/cli/every_failure.sh tries a few of each).
EVERY=1 . "$(dirname "$0")/../cli/every_failure.sh"
