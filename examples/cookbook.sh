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
