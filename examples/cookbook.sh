#!/bin/sh
# The whole cookbook as plain commands, top to bottom, at the scale of a laptop. Run again, it goes on where it stopped.
#
#   sh examples/cookbook.sh              this machine's own code: some minutes
#   INPUT=~/repositories OUT=out sh examples/cookbook.sh
set -eu
OUT=${OUT:-cookbook-out}

# Raw code to a corpus: languages, copies, cleaning, quality, with a report and an account of every file.
codemill run quickstart ${INPUT:+--input "$INPUT"} --out "$OUT/corpus"

# A tokenizer of 8,192 entries, and every document encoded once. (OpenCoder's has 96,640: `run tokens`.)
codemill run tokens:laptop --corpus "$OUT/corpus" --out "$OUT/tokens"

# What is read in which order, in sequences of 1,024 tokens: a plan, which copies nothing. (OpenCoder's have 4,096.)
codemill run pretraining_mix --code "$OUT/tokens" --length 1024 --out "$OUT/mix"

# Annealing and post-training data, if there is a teacher: TEACHER=MODEL@http://127.0.0.1:8000/v1, or local:FOLDER. What it
# writes is run with its tests. Seeds are files about algorithms, which this machine's own code has none of: a package under
# MIT, pinned by its hash, has a hundred.
if [ -n "${TEACHER:-}" ]; then
    pip download --quiet --no-deps --require-hashes --requirement "$(dirname "$0")/algorithms.txt" --dest "$OUT"
    codemill run quickstart --rules none --input "$OUT/algorithms-1.0.1-py3-none-any.whl" --out "$OUT/algorithms"
    codemill run annealing --corpus "$OUT/algorithms" --teacher "$TEACHER" --seeds "${SEEDS:-20}" --out "$OUT/annealing"
    codemill run post_training --corpus "$OUT/algorithms" --teacher "$TEACHER" --seeds 0.05 --out "$OUT/chats"
fi
