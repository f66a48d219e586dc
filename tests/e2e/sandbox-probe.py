"""Tries to get out of a sandbox as an agent would; prints the names of what succeeded as JSON."""
import ctypes, glob, json, os, resource, shutil, socket, subprocess, sys

facts = json.load(sys.stdin)
libc = ctypes.CDLL(None, use_errno=True)
won = []


def attempt(name, act):
    try:
        if act() is not False:
            won.append(name)
    except Exception:
        pass


def read(path):
    with open(path, "rb") as file:
        return file.read(100)


def write(path):
    with open(path, "a") as file:
        file.write("x")


def symlinked():
    os.symlink(facts["home"], "door")
    return read("door/.ssh/id_test")


def environments():
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            if facts["mark"].encode() in open(path, "rb").read():
                return True
        except OSError:
            pass
    return False


def memory():
    with open("/proc/%d/mem" % facts["worker"], "rb") as file:
        file.seek(0x10000)
        return file.read(1)


def checked(value):
    if value < 0:
        raise OSError(ctypes.get_errno(), "refused")


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as one:
        one.settimeout(2)
        one.connect(address)


def mount(before=lambda: None):
    # Over a folder of the task's own and taken off at once: should a sandbox fail, nobody else sees it.
    goal = os.path.join(os.getcwd(), "mounted").encode()
    os.makedirs(goal, exist_ok=True)
    child = os.fork()
    if child == 0:
        try:
            before()
            checked(libc.mount(b"tmpfs", goal, b"tmpfs", 0, None))
            libc.umount2(goal, 2)
            os._exit(0)
        except Exception:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def raised():
    # A program that runs as its owner, made by the agent itself, must give nothing that it had not.
    shutil.copy("/bin/sh", "rise")
    os.chmod("rise", 0o4755)
    return subprocess.run(
        ["./rise", "-p", "-c", "cat /etc/shadow"], capture_output=True
    ).returncode == 0


def burst():
    for _ in range(200):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv("/bin/sleep", [facts["daemon"], "600"])
            os._exit(0)


home = facts["home"]
if not facts["confined"]:
    # What nothing holds back is not let loose: only what does no harm to the machine is tried.
    attempt("read id_test", lambda: read(home + "/.ssh/id_test"))
    attempt("write to the home", lambda: write(home + "/written"))
    attempt("signal the worker", lambda: os.kill(facts["worker"], 0))
    attempt("tcp", lambda: connect(socket.AF_INET, ("127.0.0.1", facts["tcp"])))
    print(json.dumps(won))
    sys.exit()
for path in facts["secrets"]:
    attempt("read " + os.path.basename(path), lambda: read(path))
attempt("read /etc/shadow", lambda: read("/etc/shadow"))
attempt("list the home", lambda: os.listdir(home) and os.path.exists(home + "/.ssh"))
attempt("list other tasks", lambda: "2" in os.listdir(os.path.dirname(facts["other"])) or read(facts["other"]))
attempt("write to the home", lambda: write(home + "/written"))
attempt("write to another task", lambda: write(facts["other"]))
attempt("write to the system", lambda: os.mkdir("/usr/herd-probe") or os.rmdir("/usr/herd-probe") or True)
attempt("read by a symbolic link", symlinked)
attempt("hard link", lambda: os.link(home + "/.ssh/id_test", "hard"))
attempt("rename out", lambda: write("thing") or os.rename("thing", home + "/moved"))
attempt("environments", environments)
attempt("memory of the worker", memory)
attempt("trace the worker", lambda: checked(libc.ptrace(0x4206, facts["worker"], 0, 0)))
attempt("signal the worker", lambda: os.kill(facts["worker"], 0))
attempt("root of the worker", lambda: read("/proc/%d/root%s/.ssh/id_test" % (facts["worker"], home)))
attempt("limits of the worker", lambda: resource.prlimit(facts["worker"], resource.RLIMIT_NOFILE))
attempt("mount", mount)
attempt("mount in a user namespace", lambda: mount(lambda: checked(libc.unshare(0x10020000))))
attempt("set-uid program", raised)
attempt("daemon's socket", lambda: connect(socket.AF_UNIX, facts["socket"]))
attempt("socket below /run", lambda: connect(socket.AF_UNIX, facts["run"]))
attempt("abstract socket", lambda: connect(socket.AF_UNIX, "\0" + facts["abstract"]))
attempt("tcp", lambda: connect(socket.AF_INET, ("127.0.0.1", facts["tcp"])))
attempt("write inside", lambda: write("inside"))
attempt("keep a log of its own", lambda: os.rename("agent-output.log", "gone.log"))
if facts["burst"]:
    burst()
print(json.dumps(won))
