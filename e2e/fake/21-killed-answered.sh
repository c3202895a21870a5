#!/usr/bin/env bash
# As 20-killed.sh, with the process killed once it has the answer.
KIND_KILL=kill-after exec bash "$(dirname "$0")/20-killed.sh"
