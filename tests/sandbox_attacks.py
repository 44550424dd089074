"""Attacks on the sandbox by name: `python tests/sandbox_attacks.py RUNG` runs them and prints what came of each.

Needs nothing but the standard library and codemill.sandbox, so that it also runs as an ordinary user on the system's
Python. An *escape* prints ESCAPED if it got out, a *forgery* must not pass, a *bomb* must end in time with a verdict
that says why. `{file}`, `{folder}`, `{port}`, `{pid}` are a file, a folder, a server and a process outside.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":  # as a script: the package without what its other rooms need
    from types import ModuleType

    root = Path(__file__).resolve().parent.parent
    package = ModuleType("codemill")
    package.__path__ = [str(root / "codemill")]
    sys.modules["codemill"] = package

from codemill.sandbox import Limits, Outcome, Pool, Stdio
from codemill.sandbox.outcome import Tests

KEY = "sk-attack-0123456789"
LIMITS = Limits(
    cpu_seconds=1, wall_seconds=1, memory_bytes=256 << 20, disk_bytes=16 << 20, file_bytes=8 << 20, processes=16,
    output_bytes=1 << 18,
)  # fmt: skip
LOOP = "for i in range(3):\n    assert add(i, 2) == i + 2\n"
LITERAL = "assert add(1, 2) == 3\nassert add(2, 2) == 4\n"
CASES = """import unittest
class TestAdd(unittest.TestCase):
    def test_one(self):
        self.assertEqual(add(1, 2), 3)
    def test_two(self):
        self.assertTrue(add(2, 2) == 4)
"""
ISCLOSE = "import math\nfor i in range(3):\n    assert math.isclose(add(i, 2), i + 2)\n"
GOOD = "\ndef add(a, b):\n    return a + b\n"
BAD = "\ndef add(a, b):\n    return 0\n"

ESCAPES = {
    "read a file": "print(open('{file}').read())",
    "read the passwords": "print('ESCAPED' if 'root' in open('/etc/shadow').read() else '')",
    "read the users": "print('ESCAPED' if 'root' in open('/etc/passwd').read() else '')",
    "list the home": "import os; print('ESCAPED', os.listdir('/root'), os.listdir('/home'))",
    "read by a symbolic link": "import os; os.symlink('{file}', 'l'); print(open('l').read())",
    "read by a hard link": "import os; os.link('{file}', 'l'); print(open('l').read())",
    "read through the root of another process": "print(open('/proc/{pid}/root{file}').read())",
    "read through the folder of another process": "import os; print('ESCAPED', os.listdir('/proc/{pid}/cwd'))",
    "write a file": "open('{folder}/written', 'w').write('x'); print('ESCAPED')",
    "overwrite a file": "open('{file}', 'w').write('x'); print('ESCAPED')",
    "truncate a file": "import os; os.truncate('{file}', 0); print('ESCAPED')",
    "change the mode of a file": "import os; os.chmod('{file}', 0o777); print('ESCAPED')",
    "change the times of a file": "import os; os.utime('{file}', (1, 1)); print('ESCAPED')",
    "rename a file": "import os; os.rename('{file}', '{folder}/other'); print('ESCAPED')",
    "delete a file": "import os; os.remove('{file}'); print('ESCAPED')",
    "write to the system": "open('/usr/bin/codemill-attack', 'w').write('x'); print('ESCAPED')",
    "write to the interpreter": "import os; open(os.__file__, 'a').write('#'); print('ESCAPED')",
    "read the environment": "import os; print('ESCAPED' if '{key}' in str(os.environ) else '')",
    "read the environment of others": (
        "import glob\nfor path in glob.glob('/proc/[0-9]*/environ'):\n    try:\n        text = open(path).read()\n"
        "    except OSError:\n        continue\n    print('ESCAPED' if '{key}' in text else '')"
    ),
    "connect to a server": "import socket; socket.create_connection(('127.0.0.1', {port}), 1); print('ESCAPED')",
    "send a datagram": (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "s.sendto(b'x', ('127.0.0.1', {port})); print('ESCAPED' if '{rung}' != 'bubblewrap' else '')"
    ),
    "connect to a socket in the file system": (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{folder}/socket'); print('ESCAPED')"
    ),
    "connect to an abstract socket": (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0codemill-attack-{port}'); print('ESCAPED')"
    ),
    "open a raw socket": (
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP); print('ESCAPED')"
    ),
    "open a packet socket": "import socket; socket.socket(17, socket.SOCK_RAW); print('ESCAPED')",
    "signal another process": "import os; os.kill({pid}, 0); print('ESCAPED')",
    "signal the parent": "import os; os.kill(os.getppid(), 9); print('ESCAPED' if os.getppid() > 1 else '')",
    "trace another process": "import ctypes; print('' if ctypes.CDLL(None).ptrace(16, {pid}, 0, 0) else 'ESCAPED')",
    "trace the keeper": (
        "import ctypes, os; print('' if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) else 'ESCAPED')"
    ),
    "go before others": (
        "import os; os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) - 1); print('ESCAPED')"
    ),
    "read the memory of the keeper": "import os; open(f'/proc/{{os.getppid()}}/mem', 'rb'); print('ESCAPED')",
    "make a user namespace": "import ctypes; print('' if ctypes.CDLL(None).unshare(0x10000000) else 'ESCAPED')",
    "make a namespace with clone": (
        "import ctypes; print('' if ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0) < 0 else 'ESCAPED')"
    ),
    "make a namespace with clone3": (
        "import ctypes, struct; b = ctypes.create_string_buffer(struct.pack('11Q', 0x10000000, *[0] * 10))\n"
        "print('' if ctypes.CDLL(None).syscall(435, b, 88) < 0 else 'ESCAPED')"
    ),
    "mount a file system": (
        "import ctypes; print('' if ctypes.CDLL(None).mount(b't', b'.', b'tmpfs', 0, None) else 'ESCAPED')"
    ),
    "unmount the folder": "import ctypes; print('' if ctypes.CDLL(None).umount2(b'/tmp', 2) else 'ESCAPED')",
    "change the root": "import os; os.chroot('.'); print('ESCAPED')",
    "become root": "import os; os.setuid(0); print('ESCAPED')",
    "gain by a set-uid program": (
        "import subprocess; print('ESCAPED' if 'uid=0' in subprocess.run(['su', '-c', 'id'], capture_output=True, "
        "text=True, stdin=subprocess.DEVNULL).stdout else '')"
    ),
    "load a program of the kernel": "import ctypes; print('' if ctypes.CDLL(None).syscall(321, 0, 0, 0) else 'ESCAPED')",
    "use io_uring": (
        "import ctypes; b = ctypes.create_string_buffer(200)\n"
        "print('' if ctypes.CDLL(None).syscall(425, 4, b) < 0 else 'ESCAPED')"
    ),
    "leave shared memory": (
        "import ctypes; print('' if ctypes.CDLL(None).shmget(7, 4096, 0o1666) < 0 else 'ESCAPED')"
    ),
    "raise a limit": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99)); print('ESCAPED')",
    "lower a limit of others": "import resource; resource.prlimit({pid}, resource.RLIMIT_NOFILE, (3, 3)); print('ESCAPED')",
    "make a device": "import os, stat; os.mknod('d', stat.S_IFBLK | 0o600, os.makedev(8, 0)); print('ESCAPED')",
    "inherit a file descriptor": (
        "import os\nfor fd in range(3, 200):\n    try:\n        os.fstat(fd)\n    except OSError:\n        continue\n"
        "    print('' if os.readlink(f'/proc/self/fd/{{fd}}').startswith(('pipe:', '/memfd:')) else 'ESCAPED')"
    ),
    "find what an earlier program left": (
        "import os\nfor place in ('/tmp', '/dev/shm', '/var/tmp', '/run', '.'):\n    try:\n"
        "        print('ESCAPED' if any('left' in name for name in os.listdir(place)) else '')\n"
        "        open(f'{{place}}/left', 'w').write('x')\n    except OSError:\n        continue"
    ),
}  # fmt: skip
WALK = """
import sys
def frames():
    frame = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
"""
FORGERIES = {
    "exit at import": ("import sys; sys.exit(0)", LOOP),
    "_exit at import": ("import os; os._exit(0)", LOOP),
    "_exit in a call": ("import os\ndef add(a, b):\n    os._exit(0)", LOOP),
    "exit in a call": ("import sys\ndef add(a, b):\n    sys.exit(0)", LOOP),
    "kill oneself": ("import os\ndef add(a, b):\n    os.kill(os.getpid(), 15)", LOOP),
    "equal to everything": (
        "class All(int):\n    __eq__ = lambda s, o: True\n    __hash__ = int.__hash__\ndef add(a, b):\n    return All()",
        LITERAL,
    ),
    "wrong answers by call": (BAD, LITERAL),
    "a builtin with another meaning": ("def abs(x):\n    return 0" + BAD, "for i in range(3):\n    assert abs(add(i, 2) - i - 2) < 1"),
    "builtins replaced": ("import builtins\nbuiltins.abs = lambda x: 0" + BAD, "for i in range(3):\n    assert abs(add(i, 2) - i - 2) < 1"),
    "a module replaced": ("import math\nmath.isclose = lambda *a, **k: True" + BAD, ISCLOSE),
    "a module replaced in sys.modules": (
        "import sys, types\nm = types.ModuleType('math')\nm.isclose = lambda *a, **k: True\nsys.modules['math'] = m" + BAD, ISCLOSE),
    "a module replaced in a call": (
        "def add(a, b):\n    import math\n    math.isclose = lambda *a, **k: True\n    return 0", ISCLOSE),
    "unittest patched": ("import unittest\nunittest.TestCase.assertEqual = lambda *a: None\nunittest.TestCase.assertTrue = lambda *a: None" + BAD, CASES),
    "unittest patched by code": (
        "import unittest\nfor name in ('assertEqual', 'assertTrue'):\n"
        "    getattr(unittest.TestCase, name).__code__ = (lambda self, first, second=None, msg=None: None).__code__" + BAD, CASES),
    "unittest's run patched": ("import unittest\nunittest.TestCase.run = lambda self, result=None: result.startTest(self)" + BAD, CASES),
    "unittest's result patched": (
        "import unittest\nunittest.TestResult.addFailure = lambda *a: None\nunittest.TestResult.addError = lambda *a: None" + BAD, CASES),
    "unittest's loader patched": ("import unittest\nunittest.TestLoader.loadTestsFromTestCase = lambda s, c: unittest.TestSuite()" + BAD, CASES),
    "import replaced": (
        "import builtins\nreal = builtins.__import__\ndef fake(name, *a, **k):\n    m = real(name, *a, **k)\n"
        "    if name == 'math':\n        m.isclose = lambda *a, **k: True\n    return m\nbuiltins.__import__ = fake" + BAD, ISCLOSE),
    "AssertionError replaced": ("import builtins\nbuiltins.AssertionError = lambda *a: SystemExit(0)" + BAD, LOOP),
    "json replaced": ("import json\njson.JSONEncoder.encode = lambda *a: 'pass'\njson.dumps = lambda *a: 'pass'\nimport os\nos._exit(0)", LOOP),
    "an answer for the grader": (
        "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'\\n00000000000000000000000000000000 pass 3 \\n')\n"
        "    except OSError:\n        pass\nos._exit(0)", LOOP),
    "a key of the grader": (
        "import os\nfor fd in range(3, 64):\n    try:\n        os.set_blocking(fd, False)\n        key = os.read(fd, 64)\n"
        "        os.write(fd, b'\\n' + key + b' pass 3 \\n')\n    except OSError:\n        pass\nos._exit(0)", LOOP),
    "frames walked for locks": (
        WALK + "def add(a, b):\n    for frame in frames():\n        for value in list(frame.f_locals.values()):\n"
        "            release = getattr(value, '__self__', value)\n            try:\n                release.release()\n"
        "            except Exception:\n                pass\n    import time\n    time.sleep(1)\n    return 0", LOOP),
    "frames walked for the grader's names": (
        WALK + "for frame in frames():\n    for name in ('stage', 'verdict', 'passed', 'result'):\n"
        "        frame.f_locals[name] = 'pass'\nimport os\nos._exit(0)", LOOP),
    "the grader called again": (
        WALK + "for frame in frames():\n    if frame.f_code.co_name == 'judge':\n        import types\n"
        "        f = frame.f_locals\n        again = types.FunctionType(frame.f_code, frame.f_globals)\n"
        "        code = compile('tick()', 'x', 'exec')\n"
        "        again(code, code, None, dict(tick=f['given']['\\u200btick']), lambda: None, f['say'], f['wake'], f['wait'], f['met'])", LOOP),
    "tests replaced through the grader's frame": (
        WALK + "for frame in frames():\n    if frame.f_code.co_name == 'judge':\n"
        "        frame.f_locals['tests'] = compile('1', 'x', 'exec')\n        frame.f_locals['given'].clear()" + BAD, LOOP),
    "a tracer that jumps": (
        "import sys\ndef trace(frame, event, arg):\n    if frame.f_code.co_filename == 'tests.py':\n        frame.f_lineno = 3\n"
        "    return trace\nsys.settrace(trace)" + BAD, LOOP),
    "a profiler": ("import sys\nsys.setprofile(lambda *a: None)" + BAD, LOOP),
    "frames of other threads": (
        "import sys\nfor frame in sys._current_frames().values():\n    print(frame.f_locals)\nimport os\nos._exit(0)", LOOP),
    "all objects": ("import gc\nfor o in gc.get_objects():\n    pass\nimport os\nos._exit(0)", LOOP),
    "own memory through /proc": ("print(len(open('/proc/self/mem', 'rb').read(1)))\nimport os\nos._exit(0)", LOOP),
    "an audit hook": ("import sys\nsys.addaudithook(lambda *a: None)" + BAD, LOOP),
    "atexit": ("import atexit, os\natexit.register(lambda: os._exit(0))" + BAD, LOOP),
    "a finalizer": ("import os\nclass A:\n    def __del__(self):\n        os._exit(0)\na = A()\ndel a" + BAD, LOOP),
    "a child that answers": (
        "import os\nif os.fork():\n    os.wait()\n    os._exit(0)\nelse:\n    pass" + GOOD, LOOP),
    "a child that answers while the parent waits": ("import os, time\nif os.fork():\n    time.sleep(60)" + GOOD, LOOP),
    "no test is left": (
        WALK + "for frame in frames():\n    pass\nimport sys\nsys.modules['tests'] = None\ndef add(a, b):\n    raise SystemExit", LOOP),
    "a thread that frees the witness": (
        WALK + "import threading\nfound = [f for f in frames() if f.f_code.co_name == 'judge']\n"
        "def free():\n    import time\n    time.sleep(0.05)\n    found[0].f_locals['wake']()\n"
        "threading.Thread(target=free, daemon=True).start()\ndef add(a, b):\n    import time\n    time.sleep(0.3)\n    return 0", LOOP),
    "the collector called back": (
        "import gc\ngc.callbacks.append(lambda *a: None)\ngc.set_threshold(1)" + BAD, LOOP),
    "standard streams closed": ("import sys, os\nos.close(1)\nos.close(2)\nsys.stdout = None" + BAD, LOOP),
}  # fmt: skip
BOMBS: dict[str, tuple[str, set[str]]] = {
    "an endless loop": ("while True: pass", {"timeout_cpu"}),
    "a loop that ignores signals": (
        "import signal\nfor n in range(1, 65):\n    try:\n        signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError):\n        pass\nwhile True: pass", {"timeout_cpu"}),
    "a sleeper": ("import time; time.sleep(1000)", {"timeout_wall"}),
    "a stopped process": ("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", {"timeout_wall"}),
    "forks": ("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass", {"timeout_cpu", "crashed", "timeout_wall"}),
    "forks that leave": (
        "import os\nwhile True:\n    try:\n        if os.fork() == 0:\n            os.setsid()\n"
        "    except OSError:\n        pass", {"timeout_cpu", "crashed", "timeout_wall"}),
    "threads": (
        "import threading, time\nwhile True:\n    try:\n        threading.Thread(target=time.sleep, args=(99,)).start()\n"
        "    except RuntimeError:\n        pass", {"timeout_cpu", "crashed", "timeout_wall", "memory"}),
    "memory": ("x = [0] * 10**9", {"memory"}),
    "memory in steps": ("x = []\nwhile True: x.append(bytearray(1 << 20))", {"memory"}),
    "memory of several processes": (
        "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n        x = bytearray(os.urandom(1 << 20) * 100)\n"
        "        time.sleep(9)\ntime.sleep(9)", {"memory"}),
    "output": ("while True: print('x' * 100000)", {"output_limit"}),
    "output on stderr": ("import sys\nwhile True: sys.stderr.write('x' * 100000)", {"output_limit"}),
    "a large file": ("f = open('f', 'wb')\nwhile True: f.write(b'x' * 100000); f.flush()", {"output_limit", "fail"}),
    "many files": (
        "i = 0\nwhile True:\n    i += 1\n    open(f'{i}', 'wb').write(b'x' * 4096)", {"output_limit", "fail", "timeout_cpu"}),
    "many empty files": ("i = 0\nwhile True:\n    i += 1\n    open(f'{i}', 'wb').close()", {"output_limit", "fail", "timeout_cpu"}),
    "deep folders": (
        "import os\nwhile True:\n    os.mkdir('d')\n    os.chdir('d')", {"output_limit", "fail", "timeout_cpu"}),
    "a folder that cannot be entered": ("import os\nos.mkdir('d')\nopen('d/x', 'w')\nos.chmod('d', 0)\nraise ValueError", {"fail"}),
    "open files": ("x = []\nwhile True: x.append(open('/dev/null'))", {"fail"}),
    "recursion": ("def f(): f()\nf()", {"fail"}),
    "deep source": ("x = " + "(" * 5000 + ")" * 5000, {"compile_error", "fail"}),
    "an orphan": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.setsid()\n"
        "        time.sleep(1000)\n    os._exit(0)\nraise ValueError", {"fail"}),
    "an orphan that holds the output": (
        "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\nraise ValueError", {"fail"}),
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    kind: str
    name: str
    held: bool
    outcome: Outcome
    seconds: float


def run(pool: Pool) -> list[Result]:
    """Every attack, in order; an honest program after each kind, which must pass."""
    results = []
    with tempfile.TemporaryDirectory(prefix="codemill-attack-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        file = folder / "secret"
        file.write_text("ESCAPED\n")
        file.chmod(0o666)
        other = subprocess.Popen(["sleep", "300"], env={"KEY": KEY}, cwd="/")
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.socket(socket.AF_UNIX) as here,
            socket.socket(socket.AF_UNIX) as abstract,
        ):
            port = server.getsockname()[1]
            here.bind(str(folder / "socket"))
            here.listen()
            (folder / "socket").chmod(0o777)
            abstract.bind(f"\0codemill-attack-{port}")
            abstract.listen()
            before = (file.stat().st_mode, int(file.stat().st_mtime), file.read_text())
            for name, template in ESCAPES.items():
                program = template.replace("ESCAPED", "ESC' 'APED").format(  # a traceback shows the source
                    file=file, folder=folder, port=port, pid=other.pid, key=KEY, rung=pool.rung
                )
                for _ in range(2 if "earlier" in name else 1):
                    outcome, seconds = _timed(pool, program, [Stdio("", "no output")])
                untouched = (file.stat().st_mode, int(file.stat().st_mtime), file.read_text()) == before
                held = "ESCAPED" not in outcome.output and untouched and len(list(folder.iterdir())) == 2
                held = held and other.poll() is None and outcome.verdict != "sandbox_error"
                results.append(Result("escape", name, held, outcome, seconds))
            for name, (program, tests) in FORGERIES.items():
                outcome, seconds = _timed(pool, program, tests)
                held = not outcome.passed and outcome.counts
                results.append(Result("forgery", name, held, outcome, seconds))
            for name, (program, verdicts) in BOMBS.items():
                outcome, seconds = _timed(pool, program, LOOP)
                held = outcome.verdict in verdicts and seconds < 40
                results.append(Result("bomb", name, held, outcome, seconds))
        other.kill()
        other.wait()
    outcome, seconds = _timed(pool, GOOD, LOOP)
    results.append(Result("honest", "afterwards", outcome.passed, outcome, seconds))
    return results


def _timed(pool: Pool, program: str, tests: Tests) -> tuple[Outcome, float]:
    start = time.monotonic()
    outcome = pool.execute(program, tests, limits=LIMITS)
    return outcome, time.monotonic() - start


def main() -> None:
    os.environ["CODEMILL_ATTACK_KEY"] = KEY
    with Pool(1, rung=sys.argv[1]) as pool:
        results = run(pool)
    for one in results:
        print(
            json.dumps([one.kind, one.name, one.held, one.outcome.verdict, one.outcome.detail, round(one.seconds, 2)])
        )


if __name__ == "__main__":
    main()
