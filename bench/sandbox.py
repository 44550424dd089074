"""What the sandbox costs, what it holds, and whether load changes verdicts.

python -m bench.sandbox attacks          tests/sandbox_attacks.py on each rung of this machine
python -m bench.sandbox overhead         milliseconds for each Python program, beside bare interpreters
python -m bench.sandbox memory           what a program of many processes takes before it is ended (as root)
python -m bench.sandbox load [--programs 1000]   verdicts alone, and beside four busy processes for each core
python -m bench.sandbox languages        a reference program in each language that is on this machine
python -m bench.sandbox references --data DIR    solutions and constant stubs of HumanEval and MBPP: who passes
python -m bench.sandbox strength         what measuring the tests of a small function takes, in each language
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from codemill.errors import EnvironmentProblem
from codemill.sandbox import Limits, Outcome, Pool, Task
from codemill.sandbox.rungs import FIRST_UID, SAFE, UIDS, interpreter

ADD = "def add(a, b):\n    return a + b\n"
BY_CALL = "assert add(1, 2) == 3\n"
IN_PROCESS = "for i in range(3):\n    assert add(i, 2) == i + 2\n"


def pools(workers: int = 1) -> list[Pool]:
    """A pool on each safe rung that this machine has."""
    found = []
    for rung in SAFE:
        try:
            found.append(Pool(workers, rung=rung))
        except EnvironmentProblem as problem:
            print(f"{rung}: {problem}")
    return found


def attacks() -> None:
    """Counts what is held."""
    from tests import sandbox_attacks

    for pool in pools():
        with pool:
            results = sandbox_attacks.run(pool)
        kinds = Counter(one.kind for one in results)
        held = Counter(one.kind for one in results if one.held)
        print(f"{pool.rung:12}" + "".join(f" {kind} {held[kind]}/{kinds[kind]}" for kind in kinds))
        for one in results:
            if not one.held:
                print(f"  not held: {one.name}: {one.outcome.verdict} {one.outcome.detail}")


def clock(run: Callable[[], object], times: int) -> tuple[float, float]:
    """Milliseconds of so many runs after three: those of the fastest tenth at most, and the median."""
    for _ in range(3):
        run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * 1000)
    return sorted(taken)[times // 10], statistics.median(taken)


def cost(run: Callable[[int], object], times: int) -> tuple[float, float]:
    """Milliseconds of CPU and faults of pages for each of so many runs, of this process and all that it waited for;
    starting apart."""
    spent = []
    for count in (1, times + 1):
        before = used()
        run(count)
        spent.append([now - then for now, then in zip(used(), before, strict=True)])
    seconds, faults = ((more - one) / times for one, more in zip(*spent, strict=True))
    return seconds * 1000, faults


def used() -> tuple[float, int]:
    """Seconds of CPU and faults of pages up to now."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both), sum(one.ru_minflt for one in both)


def overhead(times: int) -> None:
    """Milliseconds of one program after the other, by the clock and of CPU, and the pages that it faults in.

    On a machine that does other work the median says how long programs wait for a core; the fastest tenth and CPU time
    say what they cost.
    """
    python = interpreter(reachable=False)
    program = ADD + BY_CALL

    def bare(*command: str) -> Callable[[], object]:
        return lambda: subprocess.run([*command, program], check=True, stdin=subprocess.DEVNULL)

    def repeated(run: Callable[[], object]) -> Callable[[int], object]:
        return lambda count: [run() for _ in range(count)]

    print(f"{'':34}{'tenth':>7}{'median':>8}{'CPU ms':>8}{'faults':>8}   of {times}, load {os.getloadavg()[0]:.1f}")
    for name, one in (
        ("python -I -c, bare", bare(python, "-I", "-c")),
        ("/usr/bin/python3 -I -S -c, bare", bare("/usr/bin/python3", "-I", "-S", "-c")),
    ):
        show(name, *clock(one, times), *cost(repeated(one), times))
    for rung in SAFE:
        for name, tests in (("by call", BY_CALL), ("in process", IN_PROCESS)):

            def many(count: int, rung: str = rung, tests: str = tests) -> None:
                with Pool(1, rung=rung) as pool:
                    for _ in range(count):
                        assert pool.execute(ADD, tests).passed

            with Pool(1, rung=rung) as pool:
                clocked = clock(lambda pool=pool, tests=tests: pool.execute(ADD, tests), times)  # type: ignore[misc]
            show(f"{rung}, {name}", *clocked, *cost(many, times))


def show(name: str, least: float, median: float, cpu: float, faults: float) -> None:
    """A line of the table."""
    print(f"{name:34}{least:7.1f}{median:8.1f}{cpu:8.1f}{faults:8,.0f}", flush=True)


GROW = """
import os, time
for _ in range({children}):
    if os.fork() == 0:
        held = []
        while True:
            held.append(bytearray(b"x") * (8 << 20))
time.sleep(60)
"""


def memory() -> None:
    """MB that children which fill memory have at most, all of them together, where 256 are allowed."""
    limits = Limits(memory_bytes=256 << 20)
    for pool in pools():
        with pool:
            for children in (4, 30):
                most = 0
                future = pool.submit(Task(GROW.format(children=children), "assert True", limits=limits))
                while not future.done():
                    most = max(most, resident())
                outcome = future.result()
                print(
                    f"{pool.rung:12}{children:3} children: {most / 1e6:6.0f} MB, {outcome.verdict} "
                    f"after {outcome.wall:.2f} s, load {os.getloadavg()[0]:.1f}"
                )


def resident() -> int:
    """Bytes of memory of all processes of the users of slots, pages that they share counted for each."""
    total = 0
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if FIRST_UID <= place.stat().st_uid < FIRST_UID + UIDS:
                total += int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")
    return total


def programs(count: int) -> list[Task]:
    """Programs of several fates, none within half and twice of its limit of CPU time."""
    limits = Limits(cpu_seconds=1, wall_seconds=1)
    fates = [
        ADD,
        ADD.replace("+", "-"),
        f"sum(range(200_000))\n{ADD}",
        f"import time; time.sleep(0.02)\n{ADD}",
        "def add(a, b):\n    raise ValueError",
        "import os; os._exit(0)",
        f"x = bytearray(50_000_000)\n{ADD}",
    ]
    rare = ["while True: pass", "import time; time.sleep(60)"]
    chosen = [rare[i // 50 % 2] if i % 50 == 49 else fates[i % len(fates)] for i in range(count)]
    return [Task(program, (BY_CALL, IN_PROCESS)[i % 2], limits=limits) for i, program in enumerate(chosen)]


def spin() -> None:
    """Uses a core."""
    while True:
        sum(range(10_000))


def load(count: int) -> int:
    """Verdicts alone and under load; 1 if they differ."""
    tasks = programs(count)
    cores = len(os.sched_getaffinity(0))
    seen = []
    for busy in (0, 4 * cores):
        others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
        with Pool() as pool:
            for other in others:
                other.start()
            start = time.perf_counter()
            seen.append([outcome.verdict for outcome in pool.map(tasks)])
            taken = time.perf_counter() - start
            for other in others:
                other.kill()
                other.join()
        print(f"{busy} busy processes: {taken:.0f} s, {count / taken:.1f} programs/s, {dict(Counter(seen[-1]))}")
    differ = sum(a != b for a, b in zip(*seen, strict=True))
    print(f"{differ} of {count} verdicts differ")
    return int(differ > 0)


def in_languages() -> int:
    """Runs the reference program of every language; 1 if one whose toolchain is here does not pass."""
    from codemill.sandbox import languages
    from tests.test_sandbox_languages import PROGRAMS

    limits = Limits(compile_seconds=120)
    with Pool(1) as pool:
        ran = {name: pool.execute(*given[:2], language=name, limits=limits) for name, given in PROGRAMS.items()}
    for name, outcome in ran.items():
        print(f"{languages.get(name).title:12} {outcome.verdict:18} {outcome.toolchain}")
    passed = sum(outcome.passed for outcome in ran.values())
    missing = sum(outcome.verdict == "toolchain_missing" for outcome in ran.values())
    print(f"{passed} of {len(ran)} languages pass, {missing} are not on this machine ({pool.rung})")
    return int(passed + missing < len(ran))


def references(data: Path) -> int:
    """Runs published solutions, and stubs in their place, on the tests beside them; 1 if one fails or a stub passes."""
    from tests.test_sandbox_benchmarks import humaneval, mbpp, stubs

    wrong = 0
    for name, read in (("HumanEval.jsonl", humaneval), ("mbpp_sanitized.jsonl", mbpp)):
        tasks = list(read([json.loads(line) for line in (data / name).read_text("utf-8").splitlines()]))
        start = time.perf_counter()
        with Pool() as pool:
            good = sum(outcome.passed for outcome in pool.map(tasks))
            verdicts = Counter(outcome.verdict for outcome in pool.map(stubs(tasks)))
        taken = time.perf_counter() - start
        print(f"{name}: {good} of {len(tasks)} solutions pass, and {verdicts['pass']} of {verdicts.total():,} stubs")
        print(f"  {taken:.0f} s, load {os.getloadavg()[0]:.1f}; stubs: {dict(verdicts)}")
        wrong += good < len(tasks) or verdicts["pass"] > 0
    return int(wrong > 0)


def strengths() -> None:
    """What it takes to measure the tests of a function of one line, in each language that is here."""
    from codemill.sandbox import languages
    from codemill.sandbox.strength import strength
    from tests.test_sandbox_languages import STRENGTH, cases_of

    sign = "def sign(x):\n    return 1 if x > 0 else 0\n"
    tasks = {"python": Task(sign, "assert sign(1) == 1\nassert sign(0) == 0\n", entry_point="sign")}
    for name, (program, _, _) in STRENGTH.items():
        tasks[name] = Task(program, cases_of(name, (1, 1), (0, 0)), name)
    for name, task in tasks.items():
        if languages.toolchain(languages.get(name)) is None:
            print(f"{name:12} not on this machine")
            continue
        spent = []
        for measure in (False, True):
            before = os.times()
            with Pool(1) as pool:
                ran = [0]
                count(pool, ran)
                if measure:
                    score = strength(task, pool=pool).score
                else:
                    pool.run(task)
            after = os.times()
            spent.append(sum(after[:4]) - sum(before[:4]))
        print(f"{name:12} {ran[0]:3} programs {spent[1] - spent[0]:6.1f} s of CPU  {score:.0%} of mutants killed")


def count(pool: Pool, ran: list[int]) -> None:
    """Counts the programs that a pool runs."""
    run = pool.run

    def counting(task: Task) -> Outcome:
        ran[0] += 1
        return run(task)

    pool.run = counting  # type: ignore[method-assign]


def main(argv: Sequence[str] | None = None) -> int:
    """Prints what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "what", choices=["attacks", "overhead", "memory", "load", "languages", "references", "strength"]
    )
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--times", type=int, default=101)
    parser.add_argument("--data", type=Path, default=Path("."), help="of HumanEval.jsonl and mbpp_sanitized.jsonl")
    args = parser.parse_args(argv)
    if args.what == "attacks":
        attacks()
    elif args.what == "overhead":
        overhead(args.times)
    elif args.what == "memory":
        memory()
    elif args.what == "strength":
        strengths()
    elif args.what == "languages":
        return in_languages()
    elif args.what == "references":
        return references(args.data)
    else:
        return load(args.programs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
