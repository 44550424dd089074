"""Methods of synthesis: each file is one, with its conversation, its prompts and what is read from the answers.

    snippets      a self-contained function with tests, about what a file does            annealing
    textbooks     what there is to learn from a task and its solution                     annealing
    grade         the educational value of a file                                         seeds
    educational   task, analysis, solution, tests, inspired by a file                     stage 2
    packages      question and answer about a library, from its own documentation         stage 2
    diverse       web text → seed sentences → question → solution with tests → explained  stage 1
    evolve        a task made harder in depth, or another one of its kind in breadth      stage 2
    multilingual  questions in many programming languages, with tests                     stage 2
    answers       is a chat about code, how good is its answer, a better answer           stage 1
    rewrite       a file in clean style, then self-contained                              rewriting

`method.py` is what they share. `replies/NAME.json` beside them are recorded answers: for tests, and for the smoke
variants of recipes. How to write a method: docs/synthesis.md.
"""
