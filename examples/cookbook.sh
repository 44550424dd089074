#!/bin/sh
# The whole cookbook as plain commands, top to bottom, at the scale of a laptop. Run again, it goes on where it stopped.
#
#   sh examples/cookbook.sh              this machine's own code: some minutes
#   INPUT=~/repositories OUT=out sh examples/cookbook.sh
set -eu
OUT=${OUT:-cookbook-out}
STEPS=${STEPS:-100} # of pretraining, 24 or more; annealing and each stage of fine-tuning have a quarter of them

# Raw code to a corpus: languages, copies, cleaning, quality, with a report and an account of every file.
codemill run quickstart ${INPUT:+--input "$INPUT"} --out "$OUT/corpus"

# A tokenizer of 8,192 entries, and every document encoded once. (OpenCoder's has 96,640: `run tokens`.)
codemill run tokens:laptop --corpus "$OUT/corpus" --out "$OUT/tokens"

# What is read in which order, in sequences of 1,024 tokens: a plan, which copies nothing. (OpenCoder's have 4,096.)
codemill run pretraining_mix --code "$OUT/tokens" --length 1024 --out "$OUT/mix"

# A tiny model: a warm-up and a plateau. (OpenCoder's 1.5B: `run pretrain --size 1.5B --batch 1024`, on 256 GPUs.)
codemill run pretrain:laptop --mix "$OUT/mix" --steps "$STEPS" --out "$OUT/base"

# Annealing: another order here, another mix in earnest; the rate comes down from the plateau's.
codemill run pretraining_mix --code "$OUT/tokens" --length 1024 --seed 1 --out "$OUT/annealing-mix"
codemill run anneal:laptop --start "$OUT/base" --mix "$OUT/annealing-mix" --steps "$((STEPS / 4))" --out "$OUT/annealed"

# Chats without a teacher: functions and their docstrings. Breadth first, then those that are documented best.
codemill run docstring_chats --corpus "$OUT/corpus" --out "$OUT/chats"
codemill run docstring_chats --corpus "$OUT/corpus" --least-lines 4 --out "$OUT/best-chats"
codemill run sft:laptop --start "$OUT/annealed" --stage1 "$OUT/chats" --stage2 "$OUT/best-chats" \
    --steps "$((STEPS / 4))" --out "$OUT/instruct"

# It chats. After so few steps it knows the form of an answer, and nothing else.
echo "Write a Python function that adds two numbers." | codemill chat "$OUT/instruct" --max-tokens 60

# Beside the chain, for nothing above trains on it yet: annealing and post-training data, if there is a teacher:
# TEACHER=MODEL@http://127.0.0.1:8000/v1, or local:FOLDER. What it writes is run with its tests. Seeds are files about
# algorithms, which this machine's own code has none of: a package under MIT, pinned by its hash, has a hundred.
if [ -n "${TEACHER:-}" ]; then
    pip download --quiet --no-deps --require-hashes --requirement "$(dirname "$0")/algorithms.txt" --dest "$OUT"
    codemill run quickstart --rules none --input "$OUT/algorithms-1.0.1-py3-none-any.whl" --out "$OUT/algorithms"
    codemill run annealing --corpus "$OUT/algorithms" --teacher "$TEACHER" --seeds "${SEEDS:-20}" --out "$OUT/annealing"
    codemill run post_training --corpus "$OUT/algorithms" --teacher "$TEACHER" --seeds 0.05 --out "$OUT/taught"
fi
