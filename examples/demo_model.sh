#!/bin/sh
# A tiny model of the demo's corpus that chats, on a CPU: tokenizer, base, annealed, and both stages of fine-tuning. Run
# again, it goes on where it stopped.
#
#   make demo && time sh examples/demo_model.sh                 below demo-model/, minutes on two cores
#   sh examples/demo_model.sh CORPUS OUT                        of the corpus of another run
set -eu
corpus=${1:-demo-out} out=${2:-demo-model}
mkdir -p "$out"

# 1. A tokenizer of 8,192 entries, and every document encoded once.
codemill run tokens:laptop --corpus "$corpus" --out "$out/tokens"

# 2. A base model of 1.4 million parameters: 200 steps of 4 x 512 tokens.
codemill run pretraining_mix --code "$out/tokens" --length 512 --budget 500000 --out "$out/mix"
codemill run pretrain:laptop --mix "$out/mix" --steps 200 --out "$out/base"

# 3. Annealed on other documents of the corpus, as the rate comes down.
codemill run pretraining_mix --code "$out/tokens" --length 512 --budget 150000 --seed 1 --out "$out/annealing-mix"
codemill run anneal:laptop --start "$out/base" --mix "$out/annealing-mix" --steps 50 --out "$out/annealed"

# 4. Chats of the corpus's own functions with their docstrings, and two stages of fine-tuning on them, of which the second
#    goes on from the first. A set of its own for the second, such as `--least-lines 4` makes, takes a minute more.
codemill run docstring_chats --corpus "$corpus" --out "$out/chats"
codemill run sft:laptop --start "$out/annealed" --stage1 "$out/chats" --stage2 "$out/chats" --steps 20 --out "$out/instruct"

# 5. It chats. After so few steps it knows the form of an answer at most.
echo "Write a Python function that adds two numbers." | codemill chat "$out/instruct" --max-tokens 60
